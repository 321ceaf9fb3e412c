"""The rules of notices, matching and alerts: plain Python, time passed in, no I/O."""
