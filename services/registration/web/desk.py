"""The clerk's desk: one arrival after the other, with what this desk registered today beside it."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from uuid_utils.compat import uuid7

from chassis.data.db import Database, Transaction
from chassis.data.idempotency import once
from chassis.web.access import Caller
from chassis.web.app import page_router
from chassis.web.forms import LOCAL, Form, read_form
from chassis.web.i18n import N_, gettext
from chassis.web.moments import read_day, read_moment, show_moment
from chassis.web.pages import Pages
from policy.packs import Packs
from services.registration.api import views
from services.registration.api.callers import Desk, actor_of, present
from services.registration.api.models import ArrivalBody
from services.registration.api.problems import field_errors
from services.registration.domain.access import OPERATOR, OutsideArea
from services.registration.domain.arrivals import DocumentEntry
from services.registration.domain.documents import Document, DocumentKind, like_another_kind
from services.registration.domain.faults import Refused
from services.registration.domain.masked import MaskedStay
from services.registration.domain.premises import UnknownPremises, read_room
from services.registration.domain.stays import BASES, StayKind, UnknownStay, needs_guardian
from services.registration.use_cases import queries
from services.registration.use_cases.queries import PremisesView, RoomView
from services.registration.use_cases.register_arrival import register_arrival
from services.registration.vault import Vault
from services.registration.web.forms import read_arrival

# The day's list is for looking back over one's shoulder; a whole day of a station is a matter of reports.
DAY_LINES = 100
PLACES = 8
# Two rows of tiles at 1366 pixels.
TILES = 16
LONGEST_SEARCH = 100
# ICAO Doc 9303-3, section 5: a person of unspecified nationality.
UNKNOWN_COUNTRY = "XXX"
# What people usually stay as, by kind of premises.
USUAL = {
    "hotel": StayKind.HOTEL_GUEST,
    "dormitory": StayKind.DORMITORY,
    "site_shed": StayKind.SITE_WORKER,
}


@dataclass(frozen=True, slots=True)
class NumberSays:
    """What can be said of a typed number before it is sent: its facts, which part to read again, or what is wrong."""

    document: Document | None = None
    wrong: str = ""
    # The other kind of document whose numbers begin as this resident's number does.
    like: str = ""


def pages(db: Database, vault: Vault, packs: Packs) -> APIRouter:
    """Return the router."""
    router = page_router()

    @router.get("/")
    async def desk(request: Request, caller: Desk, after: UUID | None = None, premises: UUID | None = None) -> Response:
        """Show an empty form; after an arrival its receipt, with place, room and end kept for the next guest."""
        now = present()
        async with db.read() as tx:
            done = await _done(tx, after, caller)
            place = await _place(tx, (done.premises_id if done else None) or premises, caller)
            return await _show(request, tx, caller, _empty_form(place, done, now), place, now, done=done)

    @router.post("/")
    async def register(request: Request, caller: Desk) -> Response:
        form, now = await read_form(request), present()
        # Which button was pressed is no part of the arrival: the other one, pressed after a failure, sends it again.
        receipt = form.values.pop("then", "") == "receipt"
        body = read_arrival(form, now)
        if body is not None:
            try:
                stay_id = await _register(request, caller, form, body, now)
            except Refused as refused:
                form.add(field_errors(refused))
            except OutsideArea:
                form.errors["premises_id"] = gettext(OUTSIDE)
            else:
                return RedirectResponse(f"/stays/{stay_id}/receipt" if receipt else f"/?after={stay_id}", 303)
        async with db.read() as tx:
            place = await _place(tx, _id(form["premises_id"]), caller)
            return await _show(request, tx, caller, form, place, now, status=422)

    @router.post("/facts")
    async def facts(request: Request, caller: Desk) -> Response:
        """Say what the typed number tells, while the rest is typed; numbers stand in no address, so it is a POST."""
        form, now = await read_form(request), present()
        says = _says(form, now)
        fill = _fill(form, says)
        minor = _needs_guardian(form, now)
        changed = minor != (form["guardian_shown"] != "")
        return _pages(request).render(
            request, "facts.html", form=form, says=says, fill=fill, minor=minor, guardian_changed=changed
        )

    @router.get("/places")
    async def places(
        request: Request, caller: Desk, address: Annotated[str, Query(max_length=LONGEST_SEARCH)] = ""
    ) -> Response:
        async with db.read() as tx:
            found = await queries.search_premises(tx, address.strip(), actor=actor_of(caller), after=None, limit=PLACES)
        return _pages(request).render(request, "places.html", found=found, target="desk")

    @router.get("/places/other")
    async def other_place(request: Request, caller: Desk) -> Response:
        """Return the search for premises in place of those that were chosen; what else was typed stays on the page."""
        return _pages(request).render(request, "place.html", place=None, tiles=[], form=Form())

    @router.get("/places/{premises_id}")
    async def place(request: Request, premises_id: UUID, caller: Desk) -> Response:
        async with db.read() as tx:
            view = await queries.show_premises(tx, premises_id, actor=actor_of(caller))
        form = Form({"stay": _usual(view)})
        return _pages(request).render(request, "place.html", place=view, tiles=_tiles(view, ""), form=form)

    @router.get("/places/{premises_id}/rooms")
    async def rooms(
        request: Request, premises_id: UUID, caller: Desk, room: Annotated[str, Query(max_length=40)] = ""
    ) -> Response:
        async with db.read() as tx:
            view = await queries.show_premises(tx, premises_id, actor=actor_of(caller))
        return _pages(request).render(request, "rooms.html", place=view, tiles=_tiles(view, room))

    async def _register(request: Request, caller: Caller, form: Form, body: ArrivalBody, now: datetime) -> str:
        async with once(
            db,
            # One key for one form: sent twice, it registers once.
            key=form["key"],
            caller=caller.subject,
            operation="POST /",
            body=orjson.dumps(form.values, option=orjson.OPT_SORT_KEYS),
            secret=request.app.state.idempotency_secret,
            now=now,
        ) as turn:
            if turn.answer is None:
                stay = await register_arrival(
                    turn.tx, body.entry(), actor=actor_of(caller), vault=vault, packs=packs, now=now
                )
                turn.keep(201, views.arrival(stay))
        assert turn.answer is not None
        return str(orjson.loads(turn.answer.body)["stay_id"])

    async def _done(tx: Transaction, stay_id: UUID | None, caller: Caller) -> MaskedStay | None:
        if stay_id is None:
            return None
        try:
            return await queries.masked_stay(tx, stay_id, actor=actor_of(caller), vault=vault)
        except (UnknownStay, OutsideArea):
            return None

    async def _place(tx: Transaction, premises_id: UUID | None, caller: Caller) -> PremisesView | None:
        actor = actor_of(caller)
        if premises_id is not None:
            try:
                return await queries.show_premises(tx, premises_id, actor=actor)
            except (UnknownPremises, OutsideArea):
                return None
        if actor.role != OPERATOR:
            return None
        # Who runs one place need not look for it.
        found = await queries.search_premises(tx, "", actor=actor, after=None, limit=2)
        return found[0] if len(found) == 1 else None

    async def _show(
        request: Request,
        tx: Transaction,
        caller: Caller,
        form: Form,
        place: PremisesView | None,
        now: datetime,
        *,
        status: int = 200,
        done: MaskedStay | None = None,
    ) -> Response:
        midnight = now.astimezone(LOCAL).replace(hour=0, minute=0, second=0, microsecond=0)
        count, day = await queries.desk_day(tx, actor=actor_of(caller), vault=vault, since=midnight, limit=DAY_LINES)
        return _pages(request).render(
            request,
            "arrival.html",
            status,
            section="arrival",
            form=form,
            key=form["key"] or str(uuid7()),
            place=place,
            tiles=_tiles(place, form["room"]) if place else [],
            says=_says(form, now),
            minor=_needs_guardian(form, now) or any(name.startswith("guardian") for name in form.errors),
            day=day,
            day_count=count,
            midnight=midnight,
            done=done,
        )

    return router


OUTSIDE = N_("These premises lie outside what your unit is responsible for.")


def _pages(request: Request) -> Pages:
    shown: Pages = request.app.state.pages
    return shown


def _empty_form(place: PremisesView | None, done: MaskedStay | None, now: datetime) -> Form:
    values: dict[str, Any] = {
        "person.document.kind": DocumentKind.RESIDENT_ID,
        "arrived_at": show_moment(now),
        "stay": f"{done.kind}/{BASES[done.kind][0]}" if done else _usual(place),
    }
    if done is not None:
        values["room"] = done.room
        if done.expected_until is not None:
            values["expected_until"] = show_moment(done.expected_until)
    return Form(values)


def _usual(place: PremisesView | None) -> str:
    kind = USUAL.get(place.premises.kind if place else "", StayKind.TENANT)
    return f"{kind}/{BASES[kind][0]}"


def _says(form: Form, now: datetime) -> NumberSays:
    kind, number = form["person.document.kind"], form["person.document.number"].strip()
    if not number or kind not in set(DocumentKind):
        return NumberSays()
    # The country of a passport may come later; the number is looked at by itself.
    country = UNKNOWN_COUNTRY if kind == DocumentKind.PASSPORT else None
    try:
        document = DocumentEntry(DocumentKind(kind), number, country).read(now.astimezone(LOCAL).date())
    except Refused as refused:
        return NumberSays(wrong=field_errors(refused)[0].sentence())
    return NumberSays(document, like=like_another_kind(document) or "")


def _fill(form: Form, says: NumberSays) -> bool:
    """Put what the number says of birth date and sex into the form; tell whether that changed them.

    What a person typed is left alone; what an earlier number put there (`filled`) goes with that number.
    """
    typed = f"{form['person.birth_date']}/{form['person.sex']}"
    if typed not in ("/", form["filled"]):
        return False
    document = says.document
    born = f"{document.birth_date:%Y%m%d}" if document and document.birth_date else ""
    sex = document.sex or "" if document else ""
    form.values |= {"person.birth_date": born, "person.sex": sex}
    return typed != f"{born}/{sex}"


def _needs_guardian(form: Form, now: datetime) -> bool:
    """Tell whether what is typed so far is a minor's stay in a hotel."""
    document = _says(form, now).document
    born, arrived_at = document.birth_date if document else None, now
    with suppress(ValueError):
        born = born or read_day(form["person.birth_date"])
    with suppress(ValueError):
        arrived_at = read_moment(form["arrived_at"], now)
    return form["stay"].startswith(StayKind.HOTEL_GUEST) and needs_guardian(StayKind.HOTEL_GUEST, born, arrived_at)


def _tiles(view: PremisesView, typed: str) -> list[RoomView]:
    """Return the rooms to offer: those whose numbers are nearest to what was typed, free ones first."""
    room = read_room(typed)

    def distance(tile: RoomView) -> tuple[bool, int, bool]:
        same = next((at for at, (one, other) in enumerate(zip(room, tile.number, strict=False)) if one != other), None)
        shared = min(len(room), len(tile.number)) if same is None else same
        return tile.number != room, -shared, tile.free == 0

    lived_in = [tile for tile in view.rooms if tile.capacity > 0]
    return sorted(lived_in, key=distance)[:TILES]


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
