"""Normal forms of typed text: full-width characters and stray spaces are a keyboard's habit, not a difference."""

import unicodedata

# Full-width forms of ASCII (Unicode block "Halfwidth and Fullwidth Forms", U+FF01 to U+FF5E) lie 0xFEE0 above it.
HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}


def half_width(text: str) -> str:
    """Turn full-width letters, digits, signs and the ideographic space into ASCII."""
    return text.translate(HALF_WIDTH)


def without_spaces(text: str) -> str:
    """Remove white space of every kind, and the invisible format characters that copying brings along."""
    closed = "".join(text.split())
    if closed.isascii():
        return closed
    return "".join(char for char in closed if unicodedata.category(char) != "Cf")


def single_spaced(text: str) -> str:
    """Strip the ends and make every run of white space one space."""
    return " ".join(text.split())
