"""Care of the catalogues: takes the texts out of code and templates, fills in what is new, says what is missing."""

import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from chassis.web.i18n import LANGUAGES, ROOT, catalogue_file

METHODS = [("**/templates/**.html", "jinja2"), ("templates/**.html", "jinja2"), ("**.py", "python")]
OPTIONS = {pattern: {"trimmed": "true", "silent": "false"} for pattern, method in METHODS if method == "jinja2"}
KEYWORDS = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2)}
# What a text leaves open: `%(name)s` in templates, `{name}` in code. A translation must leave the same open.
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+\}")
HEADER = (
    'msgid ""\nmsgstr ""\n"Language: {locale}\\n"\n"MIME-Version: 1.0\\n"\n'
    '"Content-Type: text/plain; charset=utf-8\\n"\n"Content-Transfer-Encoding: 8bit\\n"\n'
    '"Plural-Forms: {plural}\\n"\n\n'
)


def packages(root: Path = ROOT) -> list[Path]:
    """Return the packages that keep catalogues of their own."""
    return [root / "chassis", *sorted(path for path in (root / "services").glob("[a-z]*")), root / "anju" / "portal"]


def extract(package: Path) -> Catalog:
    """Return every text that `package` shows, in the order of its files."""
    catalog = Catalog(charset="utf-8")
    found = extract_from_dir(str(package), METHODS, OPTIONS, keywords=KEYWORDS, strip_comment_tags=True)
    for file, _line, message, comments, context in sorted(found, key=lambda each: (each[0], each[1])):
        if message:
            catalog.add(message, None, [(file, 0)], auto_comments=comments, context=context)
    return catalog


def kept(package: Path, tag: str) -> Catalog:
    """Return the catalogue of a language as it is kept; an empty one if there is none."""
    file = catalogue_file(package, tag)
    if not file.exists():
        return Catalog(locale=LANGUAGES[tag], charset="utf-8")
    with file.open("rb") as source:
        return read_po(source, locale=LANGUAGES[tag])


def check(package: Path) -> Iterator[str]:
    """Yield what is wrong with the catalogues of `package`, each in one line."""
    texts = {message.id: message for message in extract(package) if message.id}
    for tag in LANGUAGES:
        catalogue = {message.id: message for message in kept(package, tag) if message.id}
        where = f"{package.name} {tag}"
        for text in texts:
            if text not in catalogue:
                yield f"{where}: not in the catalogue: {_shown(text)}"
            elif fault := _fault(catalogue[text]):
                yield f"{where}: {fault}: {_shown(text)}"
        for text in catalogue.keys() - texts.keys():
            yield f"{where}: shown nowhere any more: {_shown(text)}"


def _fault(message: Message) -> str | None:
    forms = list(_parts(message.string or ""))
    asked = {hole for text in _parts(message.id) for hole in PLACEHOLDER.findall(text)}
    if not all(forms):
        return "not translated"
    if message.fuzzy:
        return "only guessed"
    if any(set(PLACEHOLDER.findall(form)) - asked for form in forms) or asked - set(PLACEHOLDER.findall(forms[-1])):
        return "leaves other places open"
    return None


def _parts(text: str | Sequence[str]) -> Sequence[str]:
    return (text,) if isinstance(text, str) else text


def _shown(text: str | Sequence[str]) -> str:
    return " / ".join(_parts(text))


def update(package: Path) -> None:
    """Write the catalogues of `package` anew: what stays keeps its translation, English is filled in with itself."""
    template = extract(package)
    if not [message for message in template if message.id]:
        return
    for tag, locale in LANGUAGES.items():
        before = {message.id: message.string for message in kept(package, tag)}
        catalogue = Catalog(locale=locale, charset="utf-8")
        for message in template:
            if message.id:
                empty: str | tuple[str, ...] = "" if isinstance(message.id, str) else ("",) * catalogue.num_plurals
                english = message.id if tag == "en" else empty
                catalogue.add(message.id, before.get(message.id) or english, message.locations)
        written = io.BytesIO()
        write_po(written, catalogue, omit_header=True, sort_by_file=True, include_lineno=False, width=120)
        file = catalogue_file(package, tag)
        file.parent.mkdir(parents=True, exist_ok=True)
        header = HEADER.format(locale=locale, plural=catalogue.plural_forms)
        text = written.getvalue().decode().replace(f"{package}/", "")
        file.write_text(header + text, encoding="utf-8")


def main(arguments: Sequence[str]) -> int:
    """`check` prints what is missing and returns 1; `update` writes the catalogues, what is new untranslated.

    Folders after the command (`services/alerts`) restrict it to their packages.
    """
    command, *folders = arguments or [""]
    chosen = [package for package in packages() if not folders or str(package.relative_to(ROOT)) in folders]
    if command == "update":
        for package in chosen:
            update(package)
        return 0
    if command != "check":
        print("usage: python -m chassis.web.i18n check|update [folder …]")
        return 2
    faults = [fault for package in chosen for fault in check(package)]
    print("\n".join(faults) if faults else "catalogues: complete")
    if faults:
        print("python -m chassis.web.i18n update writes what is new into the catalogues; then translate it.")
    return 1 if faults else 0
