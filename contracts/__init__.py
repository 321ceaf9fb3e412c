"""The events that cross a service border: their names, models, published schemas and frozen examples."""
