"""What divisions are called on the pages and in files, and which one a reader means who types a name."""

from dataclasses import dataclass
from datetime import date

from chassis.web import i18n
from policy.division_names import Names
from policy.packs import Packs


@dataclass(frozen=True, slots=True)
class DivisionNames:
    """The names of a day. A division without one is called by its code."""

    names: Names

    @classmethod
    def on(cls, packs: Packs, day: date) -> "DivisionNames":
        """Return the names in force on a day."""
        return cls(packs.division_names(day))

    def of(self, code: str) -> str:
        """Return the name in the reader's language, empty without one."""
        zh, en = self.names.get(code, ("", ""))
        return en if i18n.language() == "en" else zh

    def code(self, typed: str) -> str:
        """Return the code of a name typed whole, in either language; else what was typed. The larger one wins."""
        wanted = typed.strip()
        called = [
            code for code, names in self.names.items() if wanted.casefold() in [each.casefold() for each in names]
        ]
        return min(called, key=len, default=wanted)

    def offered(self, district: str) -> list[tuple[str, str]]:
        """Return (code, name) of what a reader can ask for, in the order of the tree."""
        return [(code, self.of(code)) for code in sorted(self.names) if code.startswith(district)]
