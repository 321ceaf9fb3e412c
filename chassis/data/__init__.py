"""A service's own database: transactions, idempotency, audit, encryption at rest, migrations."""
