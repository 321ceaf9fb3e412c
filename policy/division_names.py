"""What divisions are called: their codes are what is counted by and decided on, a name is for reading alone."""

from collections.abc import Mapping

from policy.reading import Value, two_languages

Names = Mapping[str, tuple[str, str]]
"""Division code (6, 9 or 12 digits) to its name in Chinese and in English."""


def read(values: Value) -> Names:
    """The `values` of a pack `division_names`."""
    return values.divisions(two_languages)


def name_of(names: Names, code: str, *, english: bool) -> str:
    """Return what a division is called; its code where no pack names it."""
    zh, en = names.get(code, (code, code))
    return en if english else zh
