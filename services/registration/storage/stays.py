"""Stays: written with the person sealed, read with the person opened."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from chassis.data.db import Transaction
from chassis.data.encryption import KeyErased, SubjectKey
from chassis.data.prepared import Prepared
from services.registration.domain.arrivals import Arrival
from services.registration.domain.persons import Guardian, Person
from services.registration.domain.stays import (
    CITY,
    LegalBasis,
    MatchingTokens,
    Stay,
    StayFacts,
    StayKind,
    receipt_number,
)
from services.registration.domain.tokens import Token
from services.registration.storage import persons
from services.registration.storage.tables import OPEN, OPEN_ALERTS, corrections, premises, stay_alerts, stays
from services.registration.storage.units import areas_of
from services.registration.vault import Vault, open_person, seal_person

_GIVEN_BY_THE_DATABASE = ("registered_at", "receipt_serial")
_INSERT = Prepared(
    sa.insert(stays).returning(*(stays.c[name] for name in _GIVEN_BY_THE_DATABASE)),
    [column.name for column in stays.c if column.name not in _GIVEN_BY_THE_DATABASE],
)


@dataclass(frozen=True, slots=True)
class Found:
    """A stay, its premises' address and operator, its person's data key, and the areas of who asks."""

    stay: Stay
    address: str | None
    operator_unit: str | None
    key: SubjectKey
    areas: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Present:
    """An open stay as it is told to alerts: no person in it."""

    facts: StayFacts
    tokens: MatchingTokens


async def insert(
    tx: Transaction,
    arrival: Arrival,
    *,
    person_id: UUID,
    key: SubjectKey,
    division_code: str,
    days_late: int,
    tokens: MatchingTokens,
    registered_by: str,
    registered_unit: str,
) -> Stay:
    """Register a stay; the database gives the time of its row and its receipt's serial."""
    stay_id = uuid7()
    document = arrival.person.document
    row = await tx.fetch_one(
        _INSERT,
        dict(
            stay_id=stay_id,
            person_id=person_id,
            premises_id=arrival.premises_id,
            division_code=division_code,
            room=arrival.room,
            kind=arrival.kind,
            legal_basis=arrival.legal_basis,
            arrived_at=arrival.arrived_at,
            expected_until=arrival.expected_until,
            departed_at=None,
            days_late=days_late,
            misread=document.misread,
            registered_by=registered_by,
            registered_unit=registered_unit,
            **_token_columns(tokens),
            **seal_person(key, arrival.person, arrival.guardian),
        ),
    )
    return Stay(
        stay_id=stay_id,
        person_id=person_id,
        person=arrival.person,
        guardian=arrival.guardian,
        premises_id=arrival.premises_id,
        division_code=division_code,
        room=arrival.room,
        kind=arrival.kind,
        legal_basis=arrival.legal_basis,
        arrived_at=arrival.arrived_at,
        expected_until=arrival.expected_until,
        departed_at=None,
        registered_at=row.registered_at,
        registered_unit=registered_unit,
        receipt_number=_receipt(row.registered_at, row.receipt_serial),
        days_late=days_late,
    )


async def load(tx: Transaction, vault: Vault, stay_id: UUID, *, unit: str = "", lock: bool = False) -> Found | None:
    """Return a stay, with the areas of `unit` beside it; None for an unknown one or an erased person."""
    one = query(unit).where(stays.c.stay_id == stay_id)
    row = await tx.one_or_none(one.with_for_update(of=stays) if lock else one)
    if row is None:
        return None
    try:
        return found(row, await vault.keyring.subject_key(tx, row.person_id))
    except KeyErased:
        return None


async def close(tx: Transaction, stay: Stay) -> datetime:
    """Write the end of a stay and drop its tokens; return the time of writing."""
    row = (
        await tx.execute(
            sa.update(stays)
            .where(stays.c.stay_id == stay.stay_id)
            .values(departed_at=stay.departed_at, **_token_columns(MatchingTokens()))
            .returning(sa.func.clock_timestamp().label("at"))
        )
    ).one()
    at: datetime = row.at
    return at


async def amend(tx: Transaction, stay: Stay, key: SubjectKey, tokens: MatchingTokens) -> None:
    """Write a corrected stay. Tokens are kept only while it is open."""
    await tx.execute(
        sa.update(stays)
        .where(stays.c.stay_id == stay.stay_id)
        .values(
            person_id=stay.person_id,
            room=stay.room,
            legal_basis=stay.legal_basis,
            arrived_at=stay.arrived_at,
            expected_until=stay.expected_until,
            departed_at=stay.departed_at,
            days_late=stay.days_late,
            misread=stay.person.document.misread,
            **_token_columns(tokens if stay.departed_at is None else MatchingTokens()),
            **seal_person(key, stay.person, stay.guardian),
        )
    )


async def forget(tx: Transaction, cut_off: datetime, limit: int) -> int:
    """Delete stays that ended at `cut_off` or before, with their corrections, and persons whom no stay names any more.

    A stay whose alert is open is kept: somebody works on it.
    """
    worked_on = sa.exists().where(stay_alerts.c.stay_id == stays.c.stay_id, stay_alerts.c.state.in_(OPEN_ALERTS))
    old = sa.select(stays.c.stay_id, stays.c.person_id).where(stays.c.departed_at <= cut_off, ~worked_on)
    rows = await tx.all(old.order_by(stays.c.departed_at).limit(limit).with_for_update(skip_locked=True))
    ids = [row.stay_id for row in rows]
    corrected = sa.delete(corrections).where(corrections.c.stay_id.in_(ids)).returning(corrections.c.person_id)
    people = {row.person_id for row in (*rows, *await tx.all(corrected))}
    await tx.execute(sa.delete(stays).where(stays.c.stay_id.in_(ids)))
    await persons.forget(tx, people)
    return len(ids)


async def lock_present(tx: Transaction, tokens: Collection[str], expiry_tokens: Collection[str]) -> list[Present]:
    """Lock and return the open stays with one of these tokens. No person is opened for it."""
    rows = await tx.all(
        sa.select(stays)
        .where(OPEN, sa.or_(stays.c.matching_token.in_(tokens), stays.c.expiry_token.in_(expiry_tokens)))
        .order_by(stays.c.stay_id)
        .with_for_update()
    )
    return [
        Present(
            StayFacts(
                row.stay_id, row.premises_id, row.division_code, row.room, StayKind(row.kind), row.arrived_at, None
            ),
            _tokens(row),
        )
        for row in rows
    ]


def query(unit: str = "") -> sa.Select[Any]:
    """Return the select of stays with their premises' address and operator, and the areas of `unit`."""
    return sa.select(stays, premises.c.address, premises.c.operator_unit, areas_of(unit).label("areas")).outerjoin(
        premises, premises.c.premises_id == stays.c.premises_id
    )


def found(row: sa.Row[Any], key: SubjectKey) -> Found:
    """Return a row of `query` with its person opened."""
    person, guardian = open_person(key, row._asdict())
    return Found(_stay(row, person, guardian), row.address, row.operator_unit, key, tuple(row.areas or ()))


def _stay(row: sa.Row[Any], person: Person, guardian: Guardian | None) -> Stay:
    return Stay(
        stay_id=row.stay_id,
        person_id=row.person_id,
        person=person,
        guardian=guardian,
        premises_id=row.premises_id,
        division_code=row.division_code,
        room=row.room,
        kind=StayKind(row.kind),
        legal_basis=LegalBasis(row.legal_basis),
        arrived_at=row.arrived_at,
        expected_until=row.expected_until,
        departed_at=row.departed_at,
        registered_at=row.registered_at,
        registered_unit=row.registered_unit,
        receipt_number=_receipt(row.registered_at, row.receipt_serial),
        days_late=row.days_late,
    )


def _token_columns(tokens: MatchingTokens) -> dict[str, str | None]:
    token, expiry = tokens.token, tokens.expiry_token
    return {
        "matching_key_id": token.key_id if token else None,
        "matching_token": token.value if token else None,
        "expiry_token": expiry.value if expiry else None,
    }


def _tokens(row: sa.Row[Any]) -> MatchingTokens:
    expiry = Token(row.matching_key_id, row.expiry_token) if row.expiry_token else None
    return MatchingTokens(Token(row.matching_key_id, row.matching_token), expiry)


def _receipt(registered_at: datetime, serial: int) -> str:
    return receipt_number(registered_at.astimezone(CITY).year, serial)
