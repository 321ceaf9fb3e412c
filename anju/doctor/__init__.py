"""What `anju doctor` looks at, how it judges what it sees, and which command mends it."""
