"""What alerts answers as JSON."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.alerts.domain.alerts import Alert
from services.alerts.domain.notices import Notice, Term
from services.alerts.use_cases.open_subject import OpenedSubject
from services.alerts.use_cases.queries import AlertView, NoticeEntry, Place

Cursor = tuple[datetime, UUID]


class BadCursor(ValueError):
    """Not a cursor that a list of ours gave."""


def write_cursor(at: datetime, last_id: UUID) -> str:
    """Return where a list goes on, as an opaque word."""
    return urlsafe_b64encode(f"{at.isoformat()} {last_id}".encode()).decode().rstrip("=")


def read_cursor(text: str) -> Cursor:
    """Read what `write_cursor` wrote. Raises BadCursor."""
    try:
        at, _space, last_id = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition(" ")
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise BadCursor
        return moment, UUID(last_id)
    except ValueError:
        raise BadCursor from None


def alert_body(alert: Alert, place: Place | None) -> dict[str, Any]:
    """An alert in a list."""
    return {
        "alert_id": str(alert.alert_id),
        "number": alert.number,
        "source": alert.source.value,
        **({"notice_id": str(alert.notice_id)} if alert.notice_id else {"rule": alert.rule}),
        "kind": alert.kind,
        "severity": alert.severity.value,
        "state": alert.state.value,
        "due_at": _time(alert.due_at),
        "premises_id": str(alert.premises_id),
        "address": place.address if place else None,
        "stay_id": str(alert.stay_id) if alert.stay_id else None,
        "room": alert.room,
        "division_code": alert.division_code,
        "occurred_at": _time(alert.occurred_at),
        "raised_at": _time(alert.raised_at),
        "owner": alert.owner.subject if alert.owner else None,
        "owner_name": alert.owner.name if alert.owner else None,
        "escalation_level": alert.escalation_level,
        "verification": alert.finding,
        "outcome": alert.outcome.value if alert.outcome else None,
        "facts": alert.facts,
    }


def alert_view_body(view: AlertView, subject: OpenedSubject | None) -> dict[str, Any]:
    """One alert with its notice, steps and history, and the notice's subject for whom it was opened."""
    opened = {"subject": subject.subject.to_json(), "subject_as_signed": subject.as_committed} if subject else {}
    return {
        **alert_body(view.alert, view.place),
        "notice": _notice_of_alert(view) if view.term else None,
        "steps": list(view.steps),
        "history": [
            {
                "at": _time(entry.change.at),
                "change": entry.change.change.value,
                "by": entry.change.by.subject,
                "by_name": entry.change.by.name,
                "by_unit": entry.change.by.unit,
                "state": entry.change.state.value,
                **({"detail": entry.change.detail} if entry.change.detail else {}),
                **({"reason": entry.reason} if entry.reason else {}),
            }
            for entry in view.history
        ],
        "stream_position": view.stream_position,
        **opened,
    }


def _notice_of_alert(view: AlertView) -> dict[str, Any]:
    assert view.term is not None
    content = view.term.content
    return {
        "notice_id": str(content.notice_id),
        "state": view.notice_state.value if view.notice_state else None,
        "instrument": _instrument(view.term),
        "starts_at": _time(content.starts_at),
        "ends_at": _time(content.ends_at),
        "recipients": list(content.recipients),
        "instructions": content.instructions,
        "author_unit": content.author_unit,
        "approver_unit": view.term.approval.approver.unit if view.term.approval else None,
    }


def notice_body(notice: Notice, proposed_at: datetime | None = None) -> dict[str, Any]:
    """A notice without its subject. `content_hash` is what waits for approval, else what runs."""
    term = notice.latest
    content = (notice.running or term).content
    approval = notice.running.approval if notice.running else None
    renewal = notice.pending if notice.running and notice.pending else None
    return {
        "notice_id": str(notice.notice_id),
        "kind": notice.kind.value,
        "state": notice.state.value,
        "why": notice.why.value if notice.why else None,
        "content_hash": term.content.hash(),
        "instrument": _instrument(term),
        "starts_at": _time(content.starts_at),
        "ends_at": _time(content.ends_at),
        "recipients": list(content.recipients),
        "instructions": content.instructions,
        "premises_ids": [],
        "author": (notice.running or term).proposer.subject,
        "author_unit": content.author_unit,
        "proposed_at": _time(proposed_at or term.proposed_at),
        "approver": approval.approver.subject if approval else None,
        "approver_unit": approval.approver.unit if approval else None,
        "approved_at": _time(approval.approved_at) if approval else None,
        "activated_at": _time(notice.activated_at),
        "renewal": {
            "ends_at": _time(renewal.content.ends_at),
            "content_hash": renewal.content.hash(),
            "author": renewal.proposer.subject,
            "proposed_at": _time(renewal.proposed_at),
        }
        if renewal
        else None,
    }


def notice_view_body(
    notice: Notice, proposed_at: datetime, history: Sequence[NoticeEntry], subject: OpenedSubject | None
) -> dict[str, Any]:
    """One notice with its history; whom it names and what exactly is signed only for whom it was opened."""
    opened: dict[str, Any] = {}
    if subject:
        opened = {
            "subject": subject.subject.to_json(),
            "subject_as_signed": subject.as_committed,
            "content": notice.latest.content.canonical().decode(),
        }
    return {
        **notice_body(notice, proposed_at),
        "history": [
            {
                "at": _time(entry.at),
                "change": entry.change,
                "by": entry.by,
                "by_name": entry.by_name,
                "by_unit": entry.by_unit,
                **({"reason": entry.reason} if entry.reason else {}),
            }
            for entry in history
        ],
        **opened,
    }


def _instrument(term: Term) -> dict[str, str]:
    instrument = term.content.instrument
    return {"kind": instrument.kind, "number": instrument.number, "authority": instrument.authority}


def _time(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
