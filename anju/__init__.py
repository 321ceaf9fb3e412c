"""The command line, and what starts the parts of a demo or a test: the only package that may import every service."""
