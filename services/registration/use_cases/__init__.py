"""What registration does, one use case per file; the entry point opens the transaction and commits it."""
