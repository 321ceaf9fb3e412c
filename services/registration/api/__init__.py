"""Registration's JSON for machines."""
