"""Alerts' pages: the command centre's board and the notice desk."""
