"""Starts the parts of a demo or a test on this machine (Kafka, PostgreSQL, services) and watches over them."""
