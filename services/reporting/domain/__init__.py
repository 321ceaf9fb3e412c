"""What figures may be shown: divisions, small cells, and what hides them."""
