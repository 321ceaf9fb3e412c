"""The matcher against peers that do the same look-up: each is checked by the alerts that it finds."""
