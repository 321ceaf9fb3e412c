"""5,000 premises: a page shows part of them and says of how many, one is found, and no hazard is left off the map."""

import re
from uuid import UUID

import pytest
import sqlalchemy as sa

from chassis.data.db import Database
from chassis.run.service import WebParts
from policy.packs import Packs
from services.housing.web.pages import LINES
from services.housing.web.visit import MOST_MARKS
from tests.service.housing.conftest import Register
from tests.service.housing.test_pages import blocked, browser, parts

__all__ = ["parts"]

pytestmark = pytest.mark.postgres

# As many again as there are; every one of them is newer than what was registered before.
COPIES = """
    INSERT INTO premises
    SELECT (p).* FROM (
        SELECT jsonb_populate_record(each.premises, jsonb_build_object(
            'premises_id', 'ffffffff-ffff-7fff-8fff-' || lpad((n + 5000 * row)::text, 12, '0'),
            'name', (each.premises).name || ' ' || n, 'operator_unit', null)) AS p
        FROM (SELECT premises, row_number() OVER () - 1 AS row FROM premises) AS each, generate_series(1, 5000) AS n
    ) AS made
"""


async def test_a_list_of_5000_is_read_in_parts_and_searched(parts: WebParts, register: Register, db: Database) -> None:
    await register()
    async with db.transaction() as tx:
        await tx.execute(sa.text(COPIES))
    async with browser(parts) as page:
        first = (await page.get("/")).text
        assert first.count('class="row-link"') == LINES
        assert "50 of 5001, the newest first" in first
        assert "Newest" not in first
        (following,) = re.findall(r'href="\?([^"]*before=[^"]*)"', first)
        second = (await page.get("/?" + following.replace("&amp;", "&"))).text
        assert "湖滨旅馆 4950<" in second
        assert ">Newest<" in second
        found = (await page.get("/", params={"q": "湖滨旅馆 4321"})).text
        assert found.count('class="row-link"') == 1
        assert "1 of 1, the newest first" in found
        nothing = (await page.get("/", params={"q": "没有的名字"})).text
        assert "No premises here have this" in nothing


async def test_the_map_leaves_off_no_hazard_and_not_what_was_asked_for(
    parts: WebParts, register: Register, db: Database, packs: Packs
) -> None:
    dangerous, calm = (await register()).premises_id, (await register()).premises_id
    await blocked(db, packs, dangerous)
    async with db.transaction() as tx:
        await tx.execute(sa.text(COPIES))

    def marks(text: str) -> list[UUID]:
        return [UUID(each) for each in re.findall(r'data-href="/premises/([^"]+)"', text)]

    async with browser(parts) as page:
        shown = (await page.get("/map")).text
        assert len(marks(shown)) == MOST_MARKS
        assert dangerous in marks(shown)
        assert calm not in marks(shown)
        assert f"{MOST_MARKS} of 10002" in shown
        assert calm in marks((await page.get("/map", params={"at": str(calm)})).text)
