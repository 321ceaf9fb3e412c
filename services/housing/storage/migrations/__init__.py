"""Housing's migrations, forward only."""
