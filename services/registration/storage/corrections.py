"""What a stay said before each correction and after it, and who corrected it why."""

from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa

from chassis.data.db import Transaction
from chassis.data.encryption import SubjectKey
from services.registration.domain.corrections import CorrectedField, KeptCorrection
from services.registration.domain.documents import Document
from services.registration.domain.persons import Guardian
from services.registration.domain.stays import Stay
from services.registration.storage.tables import corrections
from services.registration.vault import Vault, document_text, guardian_text

ON_PERSON = frozenset(
    {
        CorrectedField.NAME,
        CorrectedField.DOCUMENT,
        CorrectedField.BIRTH_DATE,
        CorrectedField.SEX,
        CorrectedField.PHONE,
    }
)


async def insert(
    tx: Transaction,
    *,
    correction_id: UUID,
    before: Stay,
    after: Stay,
    field: CorrectedField,
    reason: str,
    key: SubjectKey,
    corrected_by: str,
    corrected_unit: str,
) -> datetime:
    """Keep what a field said before and after; return the time of writing."""
    row = (
        await tx.execute(
            sa.insert(corrections)
            .values(
                correction_id=correction_id,
                stay_id=after.stay_id,
                person_id=after.person_id,
                field=field,
                before=_sealed(key, before, field, "before"),
                after=_sealed(key, after, field, "after"),
                reason=key.seal(reason, "reason"),
                corrected_by=corrected_by,
                corrected_unit=corrected_unit,
            )
            .returning(corrections.c.corrected_at)
        )
    ).one()
    at: datetime = row.corrected_at
    return at


async def of_stay(tx: Transaction, vault: Vault, stay_id: UUID) -> list[KeptCorrection]:
    """Return a stay's corrections, oldest first; what was sealed for an erased person is left out."""
    rows = await tx.all(
        sa.select(corrections).where(corrections.c.stay_id == stay_id).order_by(corrections.c.corrected_at)
    )
    keys = await vault.keyring.subject_keys(tx, {row.person_id for row in rows}) if rows else {}
    return [
        KeptCorrection(
            field=CorrectedField(row.field),
            before=_opened(keys[row.person_id], row.before, "before"),
            after=_opened(keys[row.person_id], row.after, "after"),
            reason=keys[row.person_id].open(row.reason, "reason"),
            corrected_by=row.corrected_by,
            corrected_unit=row.corrected_unit,
            corrected_at=row.corrected_at,
        )
        for row in rows
        if row.person_id in keys
    ]


def _sealed(key: SubjectKey, stay: Stay, field: CorrectedField, column: str) -> bytes | None:
    value = getattr(stay.person if field in ON_PERSON else stay, field)
    if value is None:
        return None
    if isinstance(value, Document):
        return key.seal(document_text(value), column)
    if isinstance(value, Guardian):
        return key.seal(guardian_text(value), column)
    return key.seal(orjson.dumps(value).decode(), column)


def _opened(key: SubjectKey, sealed: bytes | None, column: str) -> Any:
    return None if sealed is None else orjson.loads(key.open(sealed, column))
