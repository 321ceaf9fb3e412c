"""Rules of the alerts service, without I/O."""
