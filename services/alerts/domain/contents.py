"""What exactly a notice says: its content in one canonical form, its hash, and whether it may be proposed at all."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class NoticeKind(StrEnum):
    """Kinds of notices (product.md section 5)."""

    WANTED = "wanted"
    MISSING_PERSON = "missing_person"
    LOST_DOCUMENT = "lost_document"
    PROTECTION_ORDER = "protection_order"
    FAMILY_TRACING = "family_tracing"


# Kinds of units that a notice may go to: who can act on it. Who registers, runs premises, writes notices or oversees
# them has nothing to do when one is met, and would only learn whom the city looks for.
RECIPIENT_KINDS = frozenset({"command_centre", "police_station", "department"})

# The kinds whose matching rule is "this whole document"; the others need rules of their own and are refused until then.
MATCHED_BY_DOCUMENT = frozenset({NoticeKind.WANTED, NoticeKind.MISSING_PERSON})


@dataclass(frozen=True, slots=True)
class Token:
    """A document's matching token, made by registration under the key that it names."""

    key_id: str
    value: str


# Stands in an ended notice's content where its token stood: equal to no document's.
FORGOTTEN = Token("", "")


@dataclass(frozen=True, slots=True)
class Instrument:
    """The legal paper that a notice rests on."""

    kind: str
    number: str
    authority: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What the rule pack in force allows a notice of one kind that starts at a given time."""

    instruments: frozenset[str]
    earliest_start: datetime
    latest_start: datetime
    latest_end: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """What the rules look at in a proposal; all of it is known before the document's token is."""

    kind: NoticeKind
    instrument_kind: str
    starts_at: datetime
    ends_at: datetime
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """All that an approval signs. The person stands in it as document token and commitment, not in the clear."""

    notice_id: UUID
    term: int
    kind: NoticeKind
    instrument: Instrument
    document_kind: str
    issuing_country: str
    token: Token
    subject_commitment: str
    starts_at: datetime
    ends_at: datetime
    recipients: tuple[str, ...]
    instructions: str
    author: str
    author_unit: str

    def canonical(self) -> bytes:
        """Return the content as JSON in the canonical form of RFC 8785 (sorted keys, no white space, UTF-8)."""
        return canonical_json(
            {
                "author": self.author,
                "author_unit": self.author_unit,
                "ends_at": instant(self.ends_at),
                "instructions": self.instructions,
                "instrument": {
                    "authority": self.instrument.authority,
                    "kind": self.instrument.kind,
                    "number": self.instrument.number,
                },
                "kind": self.kind.value,
                "notice_id": str(self.notice_id),
                "recipients": list(self.recipients),
                "starts_at": instant(self.starts_at),
                "subject": {
                    "commitment": self.subject_commitment,
                    "document": {
                        "issuing_country": self.issuing_country,
                        "kind": self.document_kind,
                        "token": {"key_id": self.token.key_id, "value": self.token.value},
                    },
                },
                "term": self.term,
            }
        )

    def hash(self) -> str:
        """Return the SHA-256 of the canonical form, in hex."""
        return hashlib.sha256(self.canonical()).hexdigest()


def parse_content(canonical: bytes) -> Content:
    """Read a content back. Raises ValueError for bytes that are not exactly a content's canonical form."""
    try:
        value: dict[str, Any] = json.loads(canonical)
        document = value["subject"]["document"]
        content = Content(
            notice_id=UUID(value["notice_id"]),
            term=value["term"],
            kind=NoticeKind(value["kind"]),
            instrument=Instrument(**value["instrument"]),
            document_kind=document["kind"],
            issuing_country=document["issuing_country"],
            token=Token(**document["token"]),
            subject_commitment=value["subject"]["commitment"],
            starts_at=datetime.fromisoformat(value["starts_at"]),
            ends_at=datetime.fromisoformat(value["ends_at"]),
            recipients=tuple(value["recipients"]),
            instructions=value["instructions"],
            author=value["author"],
            author_unit=value["author_unit"],
        )
    except (KeyError, TypeError) as error:
        raise ValueError("not the content of a notice") from error
    if type(content.term) is not int or content.canonical() != canonical:
        raise ValueError("not in the canonical form")
    return content


def canonical_json(value: dict[str, Any]) -> bytes:
    """RFC 8785 for objects with ASCII keys whose values are strings, integers, lists and objects."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def instant(at: datetime) -> str:
    """A time in its one canonical spelling: UTC, microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a proposal: JSON pointer of the field, a stable code, and the limit that was passed."""

    pointer: str
    code: str
    limit: datetime | None = None


class ProposalRefused(ValueError):
    """The proposal breaks a rule; `faults` says which fields and why."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(", ".join(fault.code for fault in faults))
        self.faults = tuple(faults)


def check(asked: Asked, limits: Limits, units: Mapping[str, str], now: datetime) -> Sequence[Fault]:
    """Return what the rules have against a first term; `units` are the kinds of all units by their ids."""
    return [
        *_check_kind(asked.kind, asked.instrument_kind, limits.instruments),
        *_check_start(asked.starts_at, limits),
        *check_end(asked.starts_at, asked.ends_at, limits.latest_end, now),
        *_check_recipients(asked.recipients, units),
    ]


def _check_recipients(recipients: Sequence[str], units: Mapping[str, str]) -> Iterator[Fault]:
    """Whether each recipient is a unit that can act on a notice; without the tree nothing can be said against one."""
    for place, unit in enumerate(recipients if units else ()):
        if unit not in units:
            yield Fault(f"/recipients/{place}", "unknown-unit")
        elif units[unit] not in RECIPIENT_KINDS:
            yield Fault(f"/recipients/{place}", "not-a-recipient")


def _check_kind(kind: NoticeKind, instrument_kind: str, instruments: frozenset[str]) -> Iterator[Fault]:
    """Whether a notice of this kind can be matched, and whether its instrument is one that the kind may rest on."""
    if kind not in MATCHED_BY_DOCUMENT:
        yield Fault("/kind", "kind-not-available")
    elif instrument_kind not in instruments:
        yield Fault("/instrument/kind", "instrument-not-for-kind")


def _check_start(starts_at: datetime, limits: Limits) -> Iterator[Fault]:
    if starts_at < limits.earliest_start:
        yield Fault("/starts_at", "starts-too-early", limits.earliest_start)
    elif starts_at > limits.latest_start:
        yield Fault("/starts_at", "starts-too-late", limits.latest_start)


def check_end(starts_at: datetime, ends_at: datetime, latest_end: datetime, now: datetime) -> Iterator[Fault]:
    """Whether an end lies after the start and now, and within the kind's maximum."""
    if ends_at <= starts_at:
        yield Fault("/ends_at", "ends-before-start", starts_at)
    elif ends_at <= now:
        yield Fault("/ends_at", "ends-in-the-past", now)
    elif ends_at > latest_end:
        yield Fault("/ends_at", "term-too-long", latest_end)
