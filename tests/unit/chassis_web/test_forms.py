"""A page's form: nothing typed is lost, faults stand at their field, empty is not given, times are the city's."""

from datetime import UTC, datetime

import pytest
from starlette.requests import Request
from starlette.types import Message

from chassis.web.faults import FieldError
from chassis.web.forms import Form, LocalTime, read_form
from chassis.web.i18n import reading
from chassis.web.models import StrictModel


class Document(StrictModel):
    """A part of a form."""

    number: str


class Arrival(StrictModel):
    """A form."""

    name: str
    document: Document
    phone: str | None = None
    arrived_at: LocalTime


TYPED = {"name": " 李华 ", "document.number": "1", "phone": "  ", "arrived_at": "2026-11-24T10:44"}


def test_a_form_becomes_its_model() -> None:
    arrival = Form(TYPED).validate(Arrival)
    assert arrival is not None
    assert (arrival.name, arrival.document.number, arrival.phone) == ("李华", "1", None)
    assert arrival.arrived_at == datetime(2026, 11, 24, 2, 44, tzinfo=UTC)


def test_faults_stand_at_their_fields_and_nothing_is_lost() -> None:
    form = Form(TYPED | {"name": "a\x00", "document.kind": "x", "document.number": "", "arrived_at": "soon"})
    with reading("en"):
        assert form.validate(Arrival) is None
    assert form.errors == {
        "name": "Contains a character that cannot be stored.",
        "document.number": "This field is required.",
        "document.kind": "There is no such field here.",
        "arrived_at": "Write the time as 2026-11-24 10:44.",
    }
    assert form["arrived_at"] == "soon"
    assert form["unknown"] == ""


def test_a_use_cases_fault_joins_them_and_the_first_stays() -> None:
    form = Form(TYPED)
    form.add([FieldError("/document/number", "taken", "first"), FieldError("/document/number", "taken", "second")])
    assert form.errors == {"document.number": "first"}


@pytest.mark.parametrize(
    "names", [{"a": "1", "a.b": "2"}, {"a.b.c": "1", "a.b": "2"}, {"": "1", ".": "2", "..a": "3"}, {"a.": "1"}]
)
def test_names_that_contradict_each_other_are_only_unknown(names: dict[str, str]) -> None:
    assert Form(names).validate(Arrival) is None


async def form_of(body: bytes, content_type: str) -> Form:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [(b"content-type", content_type.encode())]
    return await read_form(Request({"type": "http", "method": "POST", "headers": headers}, receive))


async def test_read_form() -> None:
    form = await form_of(b"name=%E6%9D%8E%E5%8D%8E&x=1&x=2&bad=%ff", "application/x-www-form-urlencoded")
    assert (form["name"], form["x"], form["bad"]) == ("李华", "2", "\ufffd")
    assert (await form_of(b"{}", "application/json")).values == {}
