"""Kafka's topics and rights: what deploy/kafka/topics.yaml declares, and in what a cluster differs from it."""
