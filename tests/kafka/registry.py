"""A service of these tests that publishes places from a table of its own, and one that keeps a copy of them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel
from sqlalchemy.dialects.postgresql import insert

from chassis.data.db import Database, Transaction
from chassis.events.consumers import Consumers
from chassis.events.kafka import KafkaSettings
from chassis.events.outbox import Emission
from chassis.events.published import Published, PublishedState
from chassis.events.records import BadRecord
from chassis.events.relay import Relay
from chassis.events.states import StateRecord, StateSubscription

places = sa.Table(
    "places",
    sa.MetaData(),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
)


# What the publisher knows: the truth that topic and copy must come to.
own_places = sa.Table(
    "own_places",
    places.metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
)

TYPE = "anju.test.place.v1"


class Place(BaseModel):
    """A state of these tests."""

    name: str
    version: str | None = None


@dataclass
class Registry:
    """A service that publishes places, and one that keeps a copy of them, in one database."""

    db: Database
    kafka: KafkaSettings
    topic: str
    group: str
    applied: list[str] = field(default_factory=list)
    refused: str = ""

    async def publish(self, key: str, version: int, name: str | None) -> None:
        """Publish a version of a place, or its end, whatever the table says."""
        async with self.db.transaction() as tx:
            tx.emit(self._emission(key, version, name))

    def _emission(self, key: str, version: int, name: str | None) -> Emission:
        return Emission(self.topic, key, TYPE, None if name is None else Place(name=name), "state", version=version)

    async def change(self, key: str, name: str | None) -> None:
        """Change a place in the table, or end it, and publish that in the same transaction."""
        async with self.db.transaction() as tx:
            version = 0
            if name is None:
                await tx.execute(sa.delete(own_places).where(own_places.c.key == key))
            else:
                new = insert(own_places).values(key=key, version=1, name=name)
                changed = {"version": own_places.c.version + 1, "name": name}
                new = new.on_conflict_do_update(index_elements=["key"], set_=changed)
                version = (await tx.execute(new.returning(own_places.c.version))).scalar_one()
            tx.emit(self._emission(key, version, name))

    def published(self) -> Published:
        """What the publisher says of its topic."""
        return Published(states=(PublishedState(self.topic, TYPE, self._own_keys, self._own),))

    async def _own_keys(self, tx: Transaction) -> list[str]:
        return [row.key for row in await tx.all(sa.select(own_places.c.key))]

    async def _own(self, tx: Transaction, keys: Collection[str], lock: bool) -> list[Emission]:
        query = sa.select(own_places).where(own_places.c.key.in_(keys)).order_by(own_places.c.key)
        rows = await tx.all(query.with_for_update() if lock else query)
        return [self._emission(row.key, row.version, row.name) for row in rows]

    async def names(self) -> dict[str, str]:
        """What the publisher's table says."""
        async with self.db.read() as tx:
            return {row.key: row.name for row in await tx.all(sa.select(own_places))}

    def relay(self) -> Relay:
        """A copy of the publisher's relay."""
        return Relay(self.db, self.kafka, "test", self.published())

    def consumers(self) -> Consumers:
        """A copy of the keeper."""
        return Consumers(self.db, self.kafka, "test", [self.subscription()])

    def subscription(self) -> StateSubscription:
        """How the keeper reads."""
        return StateSubscription(self.topic, self.group, self.apply, self.keys, self.drop)

    async def apply(self, tx: Transaction, records: Sequence[StateRecord]) -> None:
        """Newer versions only."""
        for record in records:
            self.applied.append(record.key)
            if record.value is None:
                await tx.execute(sa.delete(places).where(places.c.key == record.key))
                continue
            name = Place.model_validate_json(record.value).name
            if name == self.refused:
                raise BadRecord("refused")
            epoch, number = record.version
            fresh = insert(places).values(key=record.key, epoch=epoch, number=number, name=name)
            newer = sa.tuple_(places.c.epoch, places.c.number) < sa.tuple_(fresh.excluded.epoch, fresh.excluded.number)
            changed: dict[str, Any] = {"epoch": epoch, "number": number, "name": name}
            await tx.execute(fresh.on_conflict_do_update(index_elements=["key"], set_=changed, where=newer))

    async def keys(self, tx: Transaction) -> Collection[str]:
        """All keys kept."""
        return [row.key for row in await tx.all(sa.select(places.c.key))]

    async def drop(self, tx: Transaction, keys: Collection[str]) -> None:
        """Forget keys."""
        await tx.execute(sa.delete(places).where(places.c.key.in_(keys)))

    async def kept(self) -> dict[str, str]:
        """What the keeper knows."""
        async with self.db.read() as tx:
            return {row.key: row.name for row in await tx.all(sa.select(places))}

    async def keeps(self, expected: dict[str, str]) -> bool:
        """Whether it knows exactly this."""
        return await self.kept() == expected
