"""Signed responsibility letters, written and read."""

from collections.abc import Collection
from uuid import UUID

import sqlalchemy as sa

from chassis.data.db import Transaction
from services.housing.domain.letters import Letter
from services.housing.domain.units import Actor
from services.housing.storage.tables import letters


async def add(tx: Transaction, premises_id: UUID, letter: Letter, actor: Actor) -> None:
    """Insert a signed letter."""
    await tx.execute(
        sa.insert(letters).values(
            premises_id=premises_id,
            letter_version=letter.version,
            text_sha256=letter.text_sha256,
            signed_at=letter.signed_at,
            signed_by=actor.subject,
            signed_unit=actor.unit,
        )
    )


async def latest(tx: Transaction, premises_id: UUID) -> Letter | None:
    """Return the letter that was signed last, or None."""
    query = sa.select(letters).where(letters.c.premises_id == premises_id).order_by(letters.c.signed_at.desc()).limit(1)
    row = await tx.one_or_none(query)
    return None if row is None else Letter(row.letter_version, row.text_sha256, row.signed_at)


async def drop(tx: Transaction, premises_ids: Collection[UUID]) -> None:
    """Delete the letters of premises: who ran them is known no more."""
    await tx.execute(sa.delete(letters).where(letters.c.premises_id.in_(premises_ids)))
