"""The four services. None imports another: they meet in Kafka and through links."""
