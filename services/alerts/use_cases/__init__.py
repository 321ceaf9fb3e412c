"""What alerts does: one function per file, inside a transaction that the entry point opened."""
