"""Tags of data protection: what each field of an event, a table or a form is for, and how long it is kept.

Every field carries four of them: purpose, basis, class and retention. The same `tags(...)` serve all three places:

    KIND = tags(purpose="registration", basis="residence_registration", class_="personal", retention="stay")

    class ArrivalForm(StrictModel):                          # a form
        kind: Annotated[StayKind, field(KIND)]
        room: Annotated[str | None, field(KIND, max_length=40)] = None

    Column("kind", Text, nullable=False, info=KIND)          # a table

The words allowed are the four dictionaries below; their texts stand in the public processing notice.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import Field
from pydantic.fields import FieldInfo

PURPOSES: Final[Mapping[str, tuple[str, str]]] = {
    "registration": ("居住登记与随之而来的公共服务", "residence registration and the public services that follow"),
    "housing_safety": ("住所的消防与居住安全", "fire safety and safety of dwellings"),
    "notice_matching": (
        "核对经授权的协查通知",
        "comparing open stays with authorised notices",
    ),
    "alert_handling": ("指挥中心核实与处置预警", "verifying and handling alerts at the command centre"),
    "statistics": ("不涉及个人的统计", "statistics that carry no person"),
    "oversight": ("对查阅与处置的监督", "oversight of reads and decisions"),
    "organisation": ("机构、职责与辖区", "units, their duties and areas"),
    "operation": ("系统运行", "running the system"),
}

BASES: Final[Mapping[str, tuple[str, str]]] = {
    "residence_registration": (
        "《居住证暂行条例》第二条;《个人信息保护法》第十三条第三项",
        "Interim Regulations on Residence Permits art. 2; PIPL art. 13(3)",
    ),
    "hotel_register": (
        "《旅馆业治安管理办法》第六条;《反恐怖主义法》第二十一条",
        "Measures on Public Security of Hotels art. 6; Counter-Terrorism Law art. 21",
    ),
    "minor_protection": ("《未成年人保护法》第五十七条", "Law on the Protection of Minors art. 57"),
    "fire_safety": ("《消防法》第五条、第十六条", "Fire Protection Law arts. 5 and 16"),
    "notice_instrument": (
        "协查通知所附的法律文书;《个人信息保护法》第十三条第三项",
        "the legal instrument attached to the notice; PIPL art. 13(3)",
    ),
    "statutory_duty": (
        "《个人信息保护法》第十三条第三项(履行法定职责)",
        "PIPL art. 13(3), performance of statutory duties",
    ),
    "consent": ("《个人信息保护法》第十三条第一项(本人同意)", "PIPL art. 13(1), consent"),
    "accountability": (
        "《个人信息保护法》第五十一条、第五十四条(安全措施与合规审计)",
        "PIPL arts. 51 and 54, security measures and audit",
    ),
    "not_personal": ("不含个人信息", "no personal information"),
}

CLASSES: Final[Mapping[str, tuple[str, str]]] = {
    "none": ("不涉及个人", "says nothing about a natural person"),
    "pseudonym": (
        "假名标识:离开登记系统即无法指向个人",
        "stands for a person; only registration can tell whom",
    ),
    "personal": ("个人信息", "personal information"),
    "sensitive": (
        "敏感个人信息(《个人信息保护法》第二十八条;GB/T 35273 附录B)",
        "sensitive personal information (PIPL art. 28; GB/T 35273 annex B)",
    ),
}

RETENTIONS: Final[Mapping[str, tuple[str, str]]] = {
    "request": ("仅在处理该次请求期间", "while the request is answered; what is kept has a tag of its own"),
    "topic_7_days": ("消息保存7日", "7 days in the topic"),
    "topic_30_days": (
        "消息保存30日(部门长假后仍可读取)",
        "30 days in the topic, so that a department reads on after a long holiday",
    ),
    "statistics": (
        "长期保存(不涉及个人,不涉及单个住所)",
        "kept for good: counts that name no person and no single dwelling",
    ),
    "current": ("事物存续期间,仅保留现状", "while the thing exists; the present state only"),
    "stay": ("居住期间及其后法定保存期", "the stay and the statutory term after it"),
    "notice": ("通知有效期及其后法定保存期", "the notice's term and the statutory term after it"),
    "alert": ("预警办结及其后法定保存期", "until the alert is closed and the statutory term after it"),
    "premises": ("房屋登记期间及其后法定保存期", "while the premises are registered and the statutory term after it"),
    "audit": ("审计保存期", "the term of the audit log"),
    "answer_30_days": ("重复请求的答复保存30日", "30 days, so that a repeated request gets the same answer"),
    "session": ("登录会话期间(12小时)", "the log-in session (12 hours)"),
    "record": ("与所属记录相同", "as long as the record it belongs to"),
}

PREFIX: Final = "x-"
KEYS: Final = ("x-purpose", "x-basis", "x-class", "x-retention")


class BadTag(ValueError):
    """A tag that is not in the dictionaries above; raised when the module that uses it is imported."""


@dataclass(frozen=True, slots=True)
class Tags:
    """The four tags of one field, as read back by the checks."""

    purpose: tuple[str, ...]
    basis: str
    class_: str
    retention: str


def tags(*, purpose: str | Iterable[str], basis: str, class_: str, retention: str) -> dict[str, Any]:
    """The tags of a field, for `Column(info=…)` and for `field(…)`; raises BadTag for a word that is not listed."""
    purposes = (purpose,) if isinstance(purpose, str) else tuple(purpose)
    if not purposes:
        raise BadTag("a field needs a purpose")
    for word, known in (*((p, PURPOSES) for p in purposes), (basis, BASES), (class_, CLASSES), (retention, RETENTIONS)):
        if word not in known:
            raise BadTag(f"{word!r} is none of {', '.join(known)}")
    if (class_ == "none") != (basis == "not_personal"):
        raise BadTag("basis 'not_personal' goes with class 'none', and only with it")
    return dict(zip(KEYS, (list(purposes), basis, class_, retention), strict=True))


def field(
    tagged: Mapping[str, Any] | None = None,
    *,
    purpose: str | Iterable[str] = (),
    basis: str = "",
    class_: str = "",
    retention: str = "",
    **constraints: Any,
) -> Any:
    """A tagged pydantic field, for use inside `Annotated[type, field(…)]`.

    Takes the tags made by `tags`, or the four words themselves. `constraints` go to `pydantic.Field` as they are
    (`max_length`, `ge`, `description`, …). A default is written after the annotation, not here.
    """
    if tagged is None:
        tagged = tags(purpose=purpose, basis=basis, class_=class_, retention=retention)
    return Field(json_schema_extra=dict(tagged), **constraints)


def read(marks: Mapping[str, Any] | None) -> Tags | None:
    """The tags in a column's `info` or in a field's `json_schema_extra`; None where one of the four is missing."""
    if not marks or any(not marks.get(key) for key in KEYS):
        return None
    purpose, basis, class_, retention = (marks[key] for key in KEYS)
    return Tags(tuple(purpose), basis, class_, retention)


def of_field(info: FieldInfo) -> Tags | None:
    """The tags of a pydantic model's field."""
    extra = info.json_schema_extra
    return read(extra) if isinstance(extra, dict) else None


# A column or field about the system itself (row numbers, versions, states of work) or about a thing, not a person.
TECHNICAL: Final = tags(purpose="operation", basis="not_personal", class_="none", retention="record")
