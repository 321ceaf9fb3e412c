"""Rotating a service's wrapping key: what still lies under which key, and laying it under the active one."""

from dataclasses import dataclass

import sqlalchemy as sa

from chassis.data import audit
from chassis.data.db import Transaction
from chassis.data.encryption import Keyring
from chassis.data.tables import audit_cut, subject_keys


@dataclass(frozen=True, slots=True)
class InUse:
    """One wrapping key: how many subjects' keys lie under it, and whether the proof of the audit log's beginning does.

    `here` tells whether the settings hold it. One that is here and under which nothing lies may be removed from them.
    """

    key: str
    subjects: int
    proof: bool
    here: bool
    active: bool


async def in_use(tx: Transaction, keyring: Keyring, names: set[str]) -> list[InUse]:
    """Return every key that the database or the settings (`names`) know, in the order of names."""
    counts = sa.select(subject_keys.c.wrapping_key, sa.func.count().label("persons"))
    under = {row.wrapping_key: row.persons for row in await tx.all(counts.group_by(subject_keys.c.wrapping_key))}
    proof = await tx.scalar(sa.select(audit_cut.c.wrapping_key))
    return [
        InUse(name, under.get(name, 0), name == proof, keyring.holds(name), name == keyring.active)
        for name in sorted(names | under.keys() | ({proof} - {""}))
    ]


async def rewrap(tx: Transaction, keyring: Keyring, limit: int) -> int:
    """Lay at most `limit` subjects' keys under the active key; return how many, 0 when all of them are.

    Nothing sealed changes, and readers go on. Keys that somebody else holds just now are left for the next call but
    one, which waits for them. Raises WrappingKeyMissing.
    """
    other = sa.select(subject_keys).where(subject_keys.c.wrapping_key != keyring.active).limit(limit)
    rows = await tx.all(other.with_for_update(skip_locked=True)) or await tx.all(other.with_for_update())
    if not rows:
        await audit.prove_again(tx, keyring)
        return 0
    new = [{"id": row.subject_id, "new": keyring.rewrap(row)} for row in rows]
    statement = sa.update(subject_keys).where(subject_keys.c.subject_id == sa.bindparam("id"))
    await tx.execute(statement.values(wrapping_key=keyring.active, wrapped=sa.bindparam("new")), new)
    return len(rows)
