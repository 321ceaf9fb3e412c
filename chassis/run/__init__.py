"""What a process is made of: its settings, logs, metrics, traces, timers, and how it starts and stops."""
