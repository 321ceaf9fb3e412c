"""The forms of a service's pages: found as a browser finds them, filled in, sent, and read again from the answer."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import httpx

from tests.fuzz.fuzzed import Fuzzed

# Pages that differ in nothing but ids hold the same forms.
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
SAME_KIND = 3
PAGES = 40
TYPED = {"text", "search", "tel", "number", "date", "datetime-local", "email", "password", "textarea", ""}


@dataclass
class Form:
    """A form as it stands on a page: what its fields hold, and which of them a person types into."""

    method: str
    action: str
    values: dict[str, str] = field(default_factory=dict)
    typed: set[str] = field(default_factory=set)
    choices: dict[str, list[str]] = field(default_factory=dict)

    @property
    def kind(self) -> tuple[str, str, tuple[str, ...]]:
        """What tells one form from another, whatever it is about."""
        return self.method, _ID.sub("{id}", urlsplit(self.action).path), tuple(sorted(self.values))


class _Reader(HTMLParser):
    """Reads forms, with fields that name their form from elsewhere, and the addresses a page leads to."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self._named: dict[str, Form] = {}
        self._in: Form | None = None
        self._text: tuple[Form, str] | None = None
        self._select: tuple[Form, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.links += [given[name] for name in ("href", "hx-get") if tag != "link" and given.get(name)]
        if tag == "form":
            self._in = Form(given.get("method", "get").lower(), given.get("action", ""))
            self.forms.append(self._in)
            self._named[given.get("id", "")] = self._in
        owner = self._named.get(given["form"]) if given.get("form") else self._in
        name = given.get("name", "")
        if owner is None or not name:
            if tag == "option" and self._select is not None:
                self._option(given)
            return
        match tag:
            case "textarea":
                owner.values[name] = ""
                owner.typed.add(name)
                self._text = owner, name
            case "select":
                owner.values[name] = ""
                owner.choices[name] = []
                self._select = owner, name
            case "input" | "button":
                self._input(owner, name, given, "submit" if tag == "button" else given.get("type", ""))

    def _option(self, given: dict[str, str]) -> None:
        assert self._select is not None
        owner, name = self._select
        owner.choices[name].append(given.get("value", ""))
        if "selected" in given or not owner.values[name]:
            owner.values[name] = given.get("value", "")

    def _input(self, owner: Form, name: str, given: dict[str, str], kind: str) -> None:
        value = given.get("value", "")
        if kind in ("radio", "checkbox", "submit"):
            owner.choices.setdefault(name, []).append(value)
            if "checked" in given or (kind == "submit" and name not in owner.values):
                owner.values[name] = value
            owner.values.setdefault(name, "")
            return
        owner.values[name] = value
        if kind in TYPED:
            owner.typed.add(name)

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            owner, name = self._text
            owner.values[name] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._in = None
        elif tag == "textarea":
            self._text = None
        elif tag == "select":
            self._select = None


def read(page: str) -> tuple[list[Form], list[str]]:
    """Return a page's forms and the addresses that it leads to."""
    reader = _Reader()
    reader.feed(page)
    return reader.forms, reader.links


def crawl(fuzzed: Fuzzed, http: httpx.Client, role: str, unit: str) -> list[Form]:
    """Return one form of each kind that a role finds, following every link from the start page."""
    headers = fuzzed.headers(role, unit) | {"accept": "text/html"}
    waiting, seen, met = ["/"], {"/"}, dict[str, int]()
    found: dict[tuple[str, str, tuple[str, ...]], Form] = {}
    while waiting and len(seen) < PAGES * SAME_KIND:
        path = waiting.pop(0)
        response = http.get(f"{fuzzed.address}{path}", headers=headers)
        if response.is_redirect:
            target = response.headers["location"]
            if target.startswith("/") and target not in seen:
                seen.add(target)
                waiting.append(target)
            continue
        if response.status_code != 200 or "html" not in response.headers.get("content-type", ""):
            continue
        forms, links = read(response.text)
        for form in forms:
            form.action = urljoin(path, form.action or path)
            if form.action != "/logout":
                found.setdefault(form.kind, form)
        for link in links:
            target = urljoin(path, link.partition("#")[0])
            if not target.startswith("/") or target.startswith(("/login", "/assets", "/api/")) or target in seen:
                continue
            kind = _ID.sub("{id}", target.partition("?")[0])
            met[kind] = met.get(kind, 0) + 1
            if met[kind] <= SAME_KIND:
                seen.add(target)
                waiting.append(target)
    return list(found.values())
