"""Housing's pages."""
