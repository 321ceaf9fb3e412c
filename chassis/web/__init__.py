"""HTTP: the application around every service's routes, its errors, access, pages and health."""
