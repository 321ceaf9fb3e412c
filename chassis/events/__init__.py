"""Events from one database to another, none lost and none doubled: outbox, relay, Kafka, consumers, dead letters."""
