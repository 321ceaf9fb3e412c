"""Idempotency keys: one effect, one answer, nothing readable in the table."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from chassis.data.db import Database
from chassis.data.idempotency import KeptAnswer, KeyReused, forget, once
from chassis.data.tables import idempotency_keys

pytestmark = pytest.mark.postgres
NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


async def send(
    db: Database, effects: list[str], key: str = "k", caller: str = "clerk", body: bytes = b"{}"
) -> KeptAnswer:
    async with once(db, key=key, caller=caller, operation="POST /things", body=body, secret=b"secret", now=NOW) as turn:
        if turn.answer is None:
            effects.append(caller)
            turn.keep(201, {"number": len(effects)})
    assert turn.answer is not None
    return turn.answer


async def test_twins_at_once_take_effect_once(db: Database) -> None:
    effects: list[str] = []
    answers = await asyncio.gather(*(send(db, effects) for _ in range(8)))
    assert effects == ["clerk"]
    assert {answer.body for answer in answers} == {b'{"number":1}'}
    assert sum(answer.replayed for answer in answers) == 7


async def test_another_body_under_the_key_is_refused_and_another_callers_key_is_another(db: Database) -> None:
    effects: list[str] = []
    await send(db, effects)
    with pytest.raises(KeyReused):
        await send(db, effects, body=b'{"other":1}')
    await send(db, effects, caller="inspector")
    assert effects == ["clerk", "inspector"]


async def test_a_failed_turn_leaves_the_key_free(db: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with once(db, key="k", caller="clerk", operation="POST /things", body=b"{}", secret=b"secret", now=NOW):
            raise ZeroDivisionError
    effects: list[str] = []
    assert not (await send(db, effects)).replayed


async def test_a_turn_must_end_with_an_answer_of_success(db: Database) -> None:
    with pytest.raises(RuntimeError):
        async with once(db, key="k", caller="clerk", operation="POST /things", body=b"{}", secret=b"s", now=NOW):
            pass
    with pytest.raises(ValueError, match="2xx"):
        async with once(db, key="k", caller="clerk", operation="POST /t", body=b"{}", secret=b"s", now=NOW) as turn:
            turn.keep(422, {})


async def test_the_table_holds_neither_key_nor_caller_nor_body(db: Database) -> None:
    await send(db, [], key="330199199001010015", body="张三".encode())
    async with db.read() as tx:
        row = str(await tx.scalar(sa.text("SELECT t::text FROM idempotency_keys t")))
    for secret in ("330199199001010015", "clerk", "张三"):
        assert secret not in row
        assert secret.encode().hex() not in row


async def test_old_answers_are_forgotten(db: Database) -> None:
    await send(db, [])
    async with db.transaction() as tx:
        assert await forget(tx, NOW - timedelta(microseconds=1), 10) == 0
        assert await forget(tx, NOW, 10) == 1
        assert await tx.scalar(sa.select(sa.func.count()).select_from(idempotency_keys)) == 0
