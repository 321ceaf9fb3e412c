"""The tables of alerts, and the only code that reads and writes them."""
