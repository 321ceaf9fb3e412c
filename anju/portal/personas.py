"""Who one can be in the demo: the roles with a page of their own, their people, and each role's usual unit."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from chassis.web.i18n import N_


@dataclass(frozen=True, slots=True)
class Persona:
    """An invented official. `key` is the login hint that chooses them; `does` their part, where a desk has several."""

    key: str
    role: str
    unit: str
    name: str
    does: str = ""


@dataclass(frozen=True, slots=True)
class Desk:
    """A page with the people who work there. `service` and `path` say where it is."""

    icon: str
    title: str
    does: str
    page: str
    service: str
    path: str
    personas: tuple[Persona, ...]


# In the order of the work: what must be answered first, then who makes it happen, then who looks after it.
DESKS = (
    Desk(
        "bell",
        N_("Duty officer"),
        N_("Watches alerts as they come; acknowledges, verifies, closes."),
        N_("Command centre"),
        "alerts",
        "/",
        (
            Persona("officer-1", "duty_officer", "command-centre", "张岚"),
            Persona("officer-2", "duty_officer", "command-centre", "赵屿"),
            Persona("officer-3", "duty_officer", "command-centre", "何川"),
        ),
    ),
    Desk(
        "id-badge-2",
        N_("Clerk"),
        N_("Registers who moves in and out, at the counter of a police station. Sees the own area only."),
        N_("Registration desk"),
        "registration",
        "/",
        (
            Persona("clerk-1", "clerk", "station-01", "李禾"),
            Persona("clerk-2", "clerk", "station-02", "周宁"),
        ),
    ),
    Desk(
        "bed",
        N_("Hotel desk"),
        N_("Registers who checks in. Sees the own house only."),
        N_("Check-in"),
        "registration",
        "/",
        (Persona("hotel-1", "premises_operator", "hotel-01", "陈渡"),),
    ),
    Desk(
        "clipboard-check",
        N_("Inspector"),
        N_("Knows the dwellings of the own area: rooms, capacity, who lives there in numbers."),
        N_("Premises"),
        "housing",
        "/",
        (Persona("inspector-1", "inspector", "station-01", "王澈"),),
    ),
    Desk(
        "writing",
        N_("Notice author, approver"),
        N_("One proposes a notice about one person; one of another unit approves it and signs exactly what was read."),
        N_("Notice desk"),
        "alerts",
        "/notices",
        (
            Persona("author-1", "notice_author", "notice-desk-01", "孙默", N_("proposes")),
            Persona("approver-1", "notice_approver", "notice-desk-02", "吴桐", N_("approves")),
            Persona("approver-2", "notice_approver", "notice-desk-01", "林峰", N_("approves")),
        ),
    ),
    Desk(
        "shield-check",
        N_("Overseer"),
        N_("Reads every notice and may suspend it; sees no personal data."),
        N_("Notice oversight"),
        "alerts",
        "/notices",
        (Persona("overseer-1", "overseer", "oversight", "钱明"),),
    ),
    Desk(
        "chart-bar",
        N_("Manager"),
        N_("Reads counts of the city; never a person, never a single dwelling."),
        N_("Reporting"),
        "reporting",
        "/",
        (Persona("manager-1", "manager", "city", "郑一"),),
    ),
)

# Role → usual unit, and the name of its person where nobody asks for another: what `anju dev token --role` takes.
USUAL: Mapping[str, tuple[str, str]] = {
    "clerk": ("station-01", "李禾"),
    "inspector": ("station-01", "王澈"),
    "premises_operator": ("hotel-01", "陈渡"),
    "duty_officer": ("command-centre", "张岚"),
    "notice_author": ("notice-desk-01", "孙默"),
    "notice_approver": ("notice-desk-02", "吴桐"),
    "overseer": ("oversight", "钱明"),
    "guardian_officer": ("city", "冯安"),
    "manager": ("city", "郑一"),
    "administrator": ("city", "许工"),
    "department_officer": ("fire", "卫东"),
    "resident": ("committee-01", "吕青"),
}


def everybody() -> Iterator[Persona]:
    """Yield every persona of every desk."""
    for desk in DESKS:
        yield from desk.personas


def find(key: str) -> Persona | None:
    """Return the persona that a login hint chooses, or None."""
    return next((persona for persona in everybody() if persona.key == key), None)
