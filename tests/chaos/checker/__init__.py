"""The checker: reads journal, databases and topics, and says what was lost, doubled, invented, misordered or wrong.

It imports nothing of the project (tests/architecture sees to it): its SQL, its reading of topics and its idea of what
must be there come from product.md and interfaces.md alone, so that a mistake of ours is not made twice.
"""
