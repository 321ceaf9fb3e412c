"""What the desk hands out and looks up of guests: the receipt to print, and who lives in a place or in a room of it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.registration.web import lists
from tests.service.registration.conftest import HOTEL, Desk, now
from tests.service.registration.test_pages import form, get, post

pytestmark = pytest.mark.postgres


async def test_the_receipt_is_printed_at_once_and_names_nobody(clerk: Desk) -> None:
    typed = form(**{"person.name": "欧阳晓华"})
    first = await post(clerk, "/", typed | {"then": "receipt"})
    # After a failure the other button sends the same arrival again: it is one arrival.
    again = await post(clerk, "/", typed)
    address = first.headers["location"]
    assert again.headers["location"] == "/?after=" + address.split("/")[2]
    page = (await get(clerk, address)).text
    document = page[page.index("<article") : page.index("</article>")]
    number = typed["person.document.number"]
    for words in ("居住登记凭证", "欧*华", f"{number[:4]}** ******** **{number[-2:]}", "柳堤派出所", "，按时"):
        assert words in document
    assert "欧阳晓华" not in page
    assert number not in page
    assert "Next person" in page, "the page around the document is in the reader's language"


async def test_a_late_arrival_and_a_number_to_verify_stand_on_the_receipt(clerk: Desk) -> None:
    at = f"{now() - timedelta(days=20):%Y-%m-%d} 10:00"
    number = form()["person.document.number"]
    wrong = number[:-1] + ("1" if number[-1] != "1" else "2")
    typed = form(arrived_at=at, expected_until="", **{"person.document.number": wrong})
    address = (await post(clerk, "/", typed | {"then": "receipt"})).headers["location"]
    page = (await get(clerk, address)).text
    assert "，迟报 " in page
    assert "（证件待核）" in page


async def test_a_receipt_of_another_area_is_refused_and_says_why(clerk: Desk) -> None:
    address = (await post(clerk, "/", form(then="receipt"))).headers["location"]
    other = replace(clerk, unit="station-02")
    refused = await get(other, address)
    assert refused.status_code == 403
    assert "lies outside" in refused.text or "lie outside" in refused.text
    assert "These premises lie outside what your unit is responsible for." in refused.text
    assert "You are logged in as Registrar of" in refused.text


async def test_guests_are_read_in_parts_and_found_by_their_room(clerk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "LINES", 2)
    stays = [await clerk.arrive(room=room) for room in ("0801", "0802", "0801")]
    here = f"/occupants?premises={HOTEL.premises_id}"
    first = (await get(clerk, here)).text
    assert "2 of 3, in the order of registering" in first
    assert "From the first" not in first
    second = (await get(clerk, f"{here}&after={stays[1]['stay_id']}")).text
    assert stays[2]["receipt_number"] in second
    assert "From the first" in second
    # Typed as people type: full-width digits are digits.
    in_room = (await get(clerk, f"{here}&room=０８０１")).text
    assert "2 of 2, in the order of registering" in in_room
    assert stays[1]["receipt_number"] not in in_room
    assert "Nobody is registered in room 0899 now" in (await get(clerk, f"{here}&room=0899")).text
