"""Figures of days, worked out by hand, from counts that come late, again, corrected and annulled."""

import csv
from dataclasses import replace
from io import BytesIO, StringIO
from typing import Any
from zipfile import ZipFile

import pytest
import sqlalchemy as sa

from chassis.events.states import StateRecord
from services.reporting.domain.read_models import Owner
from services.reporting.storage.tables import registration_days
from tests.service.reporting.conftest import Reporting, record

STREET_1, STREET_2, CITY = "330199001", "330199002", "330199"


def counted(day: str, division: str, kind: str, version: int, *its: int) -> StateRecord:
    registered, arrivals, departures, late = its
    return record(
        Owner.REGISTRATION,
        f"2026-11-{day}",
        division,
        kind,
        f"1.{version}",
        registered=registered,
        arrivals=arrivals,
        departures=departures,
        timeliness={"on_time": arrivals - late, "late": late},
    )


# What registration says of two streets. On the 20th street 1 begins with 40 tenants and 12 hotel guests, street 2 with
# 30 tenants. Version 2 of a day comes late or is a correction; a repeat and an older version come after it.
EVENTS = [
    counted("20", STREET_1, "tenant", 1, 39, 39, 0, 0),
    counted("20", STREET_1, "hotel_guest", 1, 12, 12, 0, 0),
    counted("20", STREET_2, "tenant", 1, 30, 30, 0, 10),
    counted("22", STREET_1, "hotel_guest", 1, 24, 14, 2, 0),
    # late: one more arrived on the 20th
    counted("20", STREET_1, "tenant", 2, 40, 40, 0, 0),
    # again, and an older version after the newer one
    counted("20", STREET_2, "tenant", 1, 30, 30, 0, 10),
    counted("20", STREET_1, "tenant", 1, 39, 39, 0, 0),
    # corrected: two of the 22nd's guests left on the 23rd; annulled: three of the 14 arrivals never were
    counted("22", STREET_1, "hotel_guest", 2, 23, 11, 0, 0),
    counted("23", STREET_1, "hotel_guest", 1, 21, 0, 2, 0),
]


async def occupancy(reporting: Reporting, on: str, division: str = CITY) -> dict[str, Any]:
    answer = await reporting.get(f"/api/v1/occupancy?division={division}&on=2026-11-{on}")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def cells(registered: int | None, arrivals: int | None, departures: int | None) -> dict[str, int | None]:
    return {"registered": registered, "arrivals": arrivals, "departures": departures}


async def test_the_figures_are_those_worked_out_by_hand(reporting: Reporting) -> None:
    for event in EVENTS:
        await reporting.take(Owner.REGISTRATION, event)
    assert await occupancy(reporting, "19") == {
        "division": CITY, "on": "2026-11-19", **cells(0, 0, 0), "by_kind": []
    }  # fmt: skip
    assert await occupancy(reporting, "20") == {
        "division": CITY,
        "on": "2026-11-20",
        **cells(82, 82, 0),
        "by_kind": [{"kind": "tenant", **cells(70, 70, 0)}, {"kind": "hotel_guest", **cells(12, 12, 0)}],
    }
    # A day without a record is like the day before it.
    assert await occupancy(reporting, "21") == {
        "division": CITY,
        "on": "2026-11-21",
        **cells(82, 0, 0),
        "by_kind": [{"kind": "tenant", **cells(70, 0, 0)}, {"kind": "hotel_guest", **cells(12, 0, 0)}],
    }
    assert await occupancy(reporting, "22", STREET_1) == {
        "division": STREET_1,
        "on": "2026-11-22",
        **cells(63, 11, 0),
        "by_kind": [{"kind": "tenant", **cells(40, 0, 0)}, {"kind": "hotel_guest", **cells(23, 11, 0)}],
    }
    # Two departures are too few to show, in the street's total and in the city's, where they would be the same two.
    for division, tenants in ((STREET_1, 40), (CITY, 70)):
        shown = await occupancy(reporting, "23", division)
        assert cells(shown["registered"], shown["arrivals"], shown["departures"]) == cells(tenants + 21, None, None)
        assert {"kind": "hotel_guest", **cells(21, None, None)} in shown["by_kind"]


async def test_order_and_repeats_change_nothing(reporting: Reporting) -> None:
    for event in [*reversed(EVENTS), *EVENTS]:
        await reporting.take(Owner.REGISTRATION, event)
    async with reporting.db.read() as tx:
        rows = await tx.all(sa.select(registration_days))
    found = {(f"{row.day:%d}", row.division_code, row.kind): (row.registered, row.version_number) for row in rows}
    assert found == {
        ("20", STREET_1, "tenant"): (40, 2),
        ("20", STREET_1, "hotel_guest"): (12, 1),
        ("20", STREET_2, "tenant"): (30, 1),
        ("22", STREET_1, "hotel_guest"): (23, 2),
        ("23", STREET_1, "hotel_guest"): (21, 1),
    }


async def test_a_small_kind_is_null_with_another_one(reporting: Reporting) -> None:
    await reporting.take(
        Owner.REGISTRATION,
        counted("20", CITY, "tenant", 1, 40, 40, 0, 0),
        counted("20", CITY, "dormitory", 1, 30, 30, 0, 0),
        counted("20", CITY, "other", 1, 3, 3, 0, 0),
    )
    shown = await occupancy(reporting, "20")
    assert shown["registered"] == 73
    assert {each["kind"]: each["registered"] for each in shown["by_kind"]} == {
        "tenant": 40,
        "dormitory": None,
        "other": None,
    }


@pytest.mark.parametrize(
    "query", ["division=3301", "division=3301990", "division=abcdef", "on=2999-01-01", "on=yesterday"]
)
async def test_what_cannot_be_answered_is_422(reporting: Reporting, query: str) -> None:
    assert (await reporting.get(f"/api/v1/occupancy?{query}")).status_code == 422


async def test_others_than_managers_are_refused(reporting: Reporting) -> None:
    assert (await replace(reporting, role="clerk").get("/api/v1/occupancy")).status_code == 403


async def test_exports_hide_what_the_page_hides(reporting: Reporting) -> None:
    await reporting.take(
        Owner.REGISTRATION,
        counted("20", STREET_1, "tenant", 1, 40, 40, 0, 0),
        counted("20", STREET_1, "other", 1, 3, 3, 0, 0),
    )
    query = f"division={STREET_1}&on=2026-11-20"
    answer = await reporting.get(f"/occupancy.csv?{query}")
    rows = list(csv.reader(StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0][:5] == ["day", "division", "division_name", "kind", "registered"]
    assert [row[2] for row in rows[1:]] == ["柳堤街道"] * 3
    assert [row[4] for row in rows[1:]] == ["隐去", "隐去", "43"]
    book = await reporting.get(f"/occupancy.xlsx?{query}")
    with ZipFile(BytesIO(book.content)) as parts:
        strings = parts.read("xl/sharedStrings.xml").decode()
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
    assert "隐去" in strings
    assert "<v>43</v>" in sheet
    assert "<v>40</v>" not in sheet
    page = await reporting.get(f"/?{query}")
    assert page.status_code == 200
    assert page.text.count("隐去</span>") >= 2


async def test_pages_name_divisions_and_say_when_their_data_came(reporting: Reporting) -> None:
    assert "还没有数据" in (await reporting.get("/")).text
    await reporting.take(
        Owner.REGISTRATION,
        counted("20", STREET_1, "tenant", 1, 40, 40, 0, 0),
        counted("20", f"{STREET_1}001", "tenant", 1, 20, 20, 0, 0),
    )
    page = await reporting.get("/?division=柳堤街道&on=2026-11-20")
    assert page.status_code == 200
    assert f"柳堤街道 {STREET_1}，2026-11-20" in page.text
    assert f'<a href="/?division={STREET_1}001&amp;on=2026-11-20">湖滨社区</a>' in page.text
    assert f'href="/?division={CITY}&amp;on=2026-11-20"' in page.text  # the way up
    assert "数据到" in page.text
    assert "还没有数据" in (await reporting.get("/housing")).text  # housing has published nothing
    assert (await reporting.get("/?division=没有的街道")).status_code == 422


async def test_alert_counts_of_a_period_show_no_day_below_ten(reporting: Reporting) -> None:
    def alerts(day: str, kind: str, raised: int, acknowledged: int, seconds: int) -> StateRecord:
        counts = dict.fromkeys(("verified", "verify_seconds", "closed", "close_seconds", "cleared"), 0)
        counts |= {"clear_seconds": 0, "retracted": 0}
        counts |= {"raised": raised, "acknowledged": acknowledged, "acknowledge_seconds": seconds}
        return record(Owner.ALERTS, f"2026-11-{day}", CITY, kind, "1.1", **counts)

    await reporting.take(
        Owner.ALERTS,
        alerts("20", "overcrowded", 12, 10, 600),
        alerts("21", "overcrowded", 20, 20, 600),
        alerts("22", "overcrowded", 15, 12, 60),
        alerts("22", "notice", 3, 3, 60),
    )
    both = (await reporting.get("/api/v1/alert-counts?from=2026-11-20&to=2026-11-21")).json()
    assert (both["raised"], both["acknowledged"], both["acknowledge_seconds"], both["closed"]) == (32, 30, 40, 0)
    assert [each["kind"] for each in both["by_kind"]] == ["overcrowded"]
    more = (await reporting.get("/api/v1/alert-counts?from=2026-11-20&to=2026-11-22")).json()
    # Notices name people: three are too few to show, alone or in a total. Crowded homes are counted like other hazards.
    assert {each["kind"]: each["raised"] for each in more["by_kind"]} == {"notice": None, "overcrowded": 47}
    assert more["raised"] is None
    for wrong in ("from=2026-11-22&to=2026-11-20", "from=2020-01-01&to=2026-11-20"):
        assert (await reporting.get(f"/api/v1/alert-counts?{wrong}")).status_code == 422


def housing(day: str, kind: str, version: int, *its: int) -> StateRecord:
    opened, closed, done, nobody, found, cleared, still, seconds = its

    def imminent(count: int) -> dict[str, int]:
        return {"minor": 0, "serious": 0, "imminent": count}

    return record(
        Owner.HOUSING,
        f"2026-11-{day}",
        STREET_1,
        kind,
        f"1.{version}",
        premises_open=opened,
        premises_closed=closed,
        inspections={"done": done, "nobody_home": nobody, "refused": 0},
        hazards_found=imminent(found),
        hazards_cleared=imminent(cleared),
        hazards_open=imminent(still),
        clear_seconds=imminent(seconds),
    )


async def tell_of_places(reporting: Reporting) -> None:
    await reporting.take(
        Owner.HOUSING,
        housing("18", "rental", 1, 7, 1, 0, 0, 0, 0, 0, 0),
        housing("20", "hotel", 1, 3, 0, 2, 1, 2, 0, 2, 0),
        housing("22", "hotel", 1, 2, 1, 1, 0, 0, 1, 1, 7200),
    )
    # A visit was entered late; a repeat of the older version changes nothing.
    await reporting.take(Owner.HOUSING, housing("20", "hotel", 2, 3, 0, 3, 1, 2, 0, 2, 0))
    await reporting.take(Owner.HOUSING, housing("20", "hotel", 1, 3, 0, 2, 1, 2, 0, 2, 0))


async def test_housing_of_a_period_is_counted_as_it_is(reporting: Reporting) -> None:
    await tell_of_places(reporting)
    counted = (await reporting.get(f"/api/v1/housing-counts?division={CITY}&from=2026-11-20&to=2026-11-22")).json()
    # Open and closed at the end, rentals as on the 18th; visits and hazards of the three days.
    assert (counted["premises_open"], counted["premises_closed"]) == (9, 2)
    assert (counted["inspections_done"], counted["inspections_nobody_home"]) == (4, 1)
    assert (counted["hazards_found_imminent"], counted["hazards_open_imminent"]) == (2, 1)
    assert (counted["clear_seconds_imminent"], counted["clear_seconds_minor"]) == (7200, None)
    assert [each["kind"] for each in counted["by_kind"]] == ["hotel", "rental"]
    before = (await reporting.get(f"/api/v1/housing-counts?division={CITY}&from=2026-11-19&to=2026-11-19")).json()
    assert (before["premises_open"], before["inspections_done"]) == (7, 0)


async def test_pages_and_files_of_a_period(reporting: Reporting) -> None:
    await tell_of_places(reporting)
    query = f"division={CITY}&from=2026-11-20&to=2026-11-22"
    page = await reporting.get(f"/housing?{query}")
    assert page.status_code == 200
    assert "2 时 0 分" in page.text
    assert f"division={STREET_1}" in page.text
    rows = list(
        csv.DictReader(StringIO((await reporting.get(f"/housing-counts.csv?{query}")).content.decode("utf-8-sig")))
    )
    assert [(row["division"], row["kind"], row["premises_open"]) for row in rows] == [
        (CITY, "hotel", "2"), (CITY, "rental", "7"), (CITY, "", "9"), (STREET_1, "", "9"),
    ]  # fmt: skip
    assert (rows[0]["clear_seconds_imminent"], rows[0]["clear_seconds_minor"]) == ("7200", "")
    assert (await reporting.get(f"/housing-counts.xlsx?{query}")).content[:2] == b"PK"
    empty = await reporting.get(f"/alerts?{query}")
    assert "这段时间没有警情" in empty.text
    notices = dict.fromkeys(("acknowledged", "verified", "closed", "cleared", "retracted"), 0)
    notices |= dict.fromkeys(("acknowledge_seconds", "verify_seconds", "close_seconds", "clear_seconds"), 0)
    await reporting.take(
        Owner.ALERTS, record(Owner.ALERTS, "2026-11-21", STREET_1, "notice", "1.1", raised=4, **notices)
    )
    assert (await reporting.get(f"/alerts?{query}")).text.count("隐去</span>") >= 12
    files = (await reporting.get(f"/alert-counts.csv?{query}")).content.decode("utf-8-sig").splitlines()
    assert files[1].split(",")[5:] == ["隐去"] * 10
    for wrong in ("from=2026-11-22&to=2026-11-20", "from=x", "division=1", "to=2999-01-01"):
        assert (await reporting.get(f"/housing?{wrong}")).status_code == 422
