"""Housing's JSON for machines."""
