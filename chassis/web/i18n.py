"""Texts on screen: the process's catalogues and the reader's language. `python -m chassis.web.i18n check|update`."""

import io
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

ROOT: Path = Path(__file__).resolve().parents[2]
# Language tag (as in `lang` and Accept-Language) → locale folder; the first is the one for readers of neither.
LANGUAGES = {"zh-CN": "zh_CN", "en": "en"}
DEFAULT = "zh-CN"

_language: ContextVar[str] = ContextVar("language", default=DEFAULT)
_catalogues: dict[str, NullTranslations] = {tag: NullTranslations() for tag in LANGUAGES}


def N_(text: str) -> str:
    """Mark a text for the catalogues; it is translated where it is shown, in the language of who reads it."""
    return text


def gettext(text: str) -> str:
    """Return `text` in the reader's language; a text that no catalogue has is returned as it is."""
    return str(_catalogues[_language.get()].ugettext(text)) if text else ""


_ = gettext


def ngettext(one: str, many: str, count: int) -> str:
    """Return the form that fits `count`, in the reader's language."""
    return str(_catalogues[_language.get()].ungettext(one, many, count))


def language() -> str:
    """Return the reader's language: `zh-CN` or `en`."""
    return _language.get()


@contextmanager
def reading(tag: str) -> Iterator[None]:
    """Translate into `tag` within the block."""
    token = _language.set(tag)
    try:
        yield
    finally:
        _language.reset(token)


def catalogue_file(package: Path, tag: str) -> Path:
    """Return where `package` keeps its catalogue of a language."""
    return package / "locale" / LANGUAGES[tag] / "LC_MESSAGES" / "messages.po"


def load(packages: Sequence[Path]) -> None:
    """Read the catalogues of `packages` for this process; the first that has a text gives its translation.

    They are read as they stand in git: a few hundred lines cost milliseconds, and there is no compiled file to forget.
    """
    for tag, locale in LANGUAGES.items():
        merged = NullTranslations()
        for package in packages:
            file = catalogue_file(package, tag)
            if not file.exists():
                continue
            compiled = io.BytesIO()
            with file.open("rb") as source:
                write_mo(compiled, read_po(source, locale=locale))
            compiled.seek(0)
            found = Translations(compiled)
            if isinstance(merged, Translations):
                merged.add_fallback(found)
            else:
                merged = found
        _catalogues[tag] = merged


def negotiate(accept_language: str, chosen: str = "") -> str:
    """Return the language to answer in: the one `chosen` on the page, else the best of an Accept-Language header.

    RFC 9110 section 12.5.4, for two languages: any `zh` is zh-CN, any `en` is en, everything else reads zh-CN.
    """
    if chosen in LANGUAGES:
        return chosen
    best, best_weight = DEFAULT, 0.0
    for part in accept_language[:1000].split(","):
        name, _sep, parameter = part.strip().partition(";")
        tag = {"zh": "zh-CN", "en": "en"}.get(name.strip().partition("-")[0].lower())
        weight = _weight(parameter)
        if tag and weight > best_weight:
            best, best_weight = tag, weight
    return best


def _weight(parameter: str) -> float:
    name, _sep, value = parameter.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        weight = float(value)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0


if __name__ == "__main__":
    from chassis.web.catalogues import main

    sys.exit(main(sys.argv[1:]))
