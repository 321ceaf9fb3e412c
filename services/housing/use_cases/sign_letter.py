"""Sign the responsibility letter in force for premises."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from chassis.data.db import Transaction
from services.housing import events
from services.housing.domain.letters import Letter, sign
from services.housing.domain.premises import visible
from services.housing.domain.units import Actor
from services.housing.storage import letters as letters_store
from services.housing.storage import premises as premises_store


async def sign_letter(
    tx: Transaction, premises_id: UUID, version: str | None, actor: Actor, *, now: datetime
) -> Letter:
    """Keep that the letter was signed and publish it: by the operator's people, or on paper before an inspector.

    Raises UnknownPremises, OutsideArea, LetterChanged and AlreadySigned.
    """
    premises = visible(actor, await premises_store.find(tx, premises_id, for_change=True))
    letter = sign(version, premises.letter, now)
    await letters_store.add(tx, premises_id, letter, actor)
    signed = replace(premises, letter=letter, version=premises.version + 1)
    await premises_store.change(tx, signed)
    tx.emit(events.letter_signed(signed, letter))
    tx.emit(events.premises_changed(signed))
    return letter
