"""The rules of registration as plain Python: no database, no HTTP, no Kafka; the time is passed in."""
