"""The relay's statements: numbers are on the disk before they are used, the mark need not be."""

import pytest
import sqlalchemy as sa

from chassis.data.db import Database
from chassis.data.transaction import driver_of
from chassis.events.relay_rows import Acknowledged, Fenced, RelayRows
from tests.service.chassis.test_transaction import emission

pytestmark = pytest.mark.postgres

# Notes by which setting each change of the mark was made.
WATCH = """
CREATE TABLE seen (numbered bigint, sent bigint, setting text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO seen VALUES (NEW.numbered, NEW.sent, current_setting('synchronous_commit')); RETURN NEW;
END $$;
CREATE CONSTRAINT TRIGGER watch AFTER UPDATE ON relay_mark DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION note();
"""


async def test_numbers_wait_for_the_disk_and_the_mark_does_not(db: Database) -> None:
    async with db.transaction() as tx:
        tx.emit(emission("a"))
        tx.emit(emission("b"))
    async with db.engine.connect() as connection:
        await driver_of(connection).execute(WATCH)
        rows = await RelayRows.claim(connection)
        numbered = await rows.number(await rows.unnumbered(10), [0, 0])
        last = Acknowledged("test.things", 0, numbered[-1].epoch, numbered[-1].sequence, offset=1)
        await rows.advance(numbered[-1].relay_number, [last])
        seen = (await connection.execute(sa.text("SELECT * FROM seen ORDER BY numbered, sent"))).all()
        assert [tuple(each) for each in seen] == [(0, 0, "on"), (2, 0, "on"), (2, 2, "off")]
        assert (await connection.execute(sa.text("SHOW synchronous_commit"))).scalar_one() == "on"


async def test_a_relay_that_was_overtaken_moves_nothing(db: Database) -> None:
    async with db.transaction() as tx:
        tx.emit(emission("a"))
    async with db.engine.connect() as connection:
        rows = await RelayRows.claim(connection)
        found = await rows.unnumbered(10)
        later = await RelayRows.claim(connection)
        with pytest.raises(Fenced):
            await rows.number(found, [0])
        assert [row.relay_number for row in await later.number(found, [0])] == [1]
