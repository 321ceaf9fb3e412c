"""Reporting forgets a dead letter in time, and its figures never."""

from datetime import UTC, datetime

import pytest

from chassis.data.encryption import Keyring
from chassis.events import dead_letters
from chassis.events.dead_letters import Pointer
from services.reporting.domain.read_models import Owner
from services.reporting.use_cases import forget_expired
from tests.service.reporting.conftest import Reporting, record
from tests.service.travel import Traveller

pytestmark = pytest.mark.postgres


async def test_a_closed_dead_letter_goes_and_figures_stay(reporting: Reporting) -> None:
    counts = {"registered": 40, "arrivals": 12, "departures": 0, "timeliness": {"on_time": 12, "late": 0}}
    await reporting.take(
        Owner.REGISTRATION, record(Owner.REGISTRATION, "2016-01-01", "330199001", "tenant", "1.1", **counts)
    )
    pointers = [Pointer("registration.statistics", 0, offset, None, "invalid-value") for offset in (7, 8)]
    async with reporting.db.transaction() as tx:
        await dead_letters.put_aside(tx, "reporting.registration", pointers)
    done, still_open = sorted(each.id for each in await dead_letters.list_(reporting.db))
    await dead_letters.discard(reporting.db, done)
    closed_at = datetime.now(UTC)
    traveller = Traveller(reporting.db, forget_expired.removals(Keyring({"k1": b"s" * 32}, "k1")))

    await traveller.before("dead_letter", closed_at)
    assert await traveller.count("dead_letters") == 2
    later = await traveller.after("dead_letter", closed_at)
    assert await traveller.count("dead_letters") == 1
    assert [each.id for each in await dead_letters.list_(reporting.db)] == [still_open]

    await traveller.forget(later.replace(year=later.year + 100))
    assert await traveller.count("registration_days") == 1
