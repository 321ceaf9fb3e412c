"""Calls the API, and asks for pages without a browser, as somebody."""

import re
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from tests.provider import TokenProvider

OFFICER = ("duty_officer", "command-centre", "张六")
OTHER = ("duty_officer", "command-centre", "赵七")
AUTHOR = ("notice_author", "notice-desk-01", "赵一")
APPROVER = ("notice_approver", "notice-desk-02", "孙三")
NUMBER = "330199199001010015"


@dataclass
class Api:
    """Calls of the API by whoever is named; a POST gets a key of its own unless one is given."""

    http: httpx.AsyncClient
    provider: TokenProvider

    async def get(self, path: str, role: str, unit: str, name: str = "", **more: Any) -> httpx.Response:
        """GET; `purpose` and `case` become headers, the rest query parameters."""
        why = {each: more.pop(each) for each in ("purpose", "case") if each in more}
        headers = self.provider.headers(role, unit, name, **why)
        return await self.http.get(f"/api/v1{path}", headers=headers, params=more)

    async def post(
        self, path: str, body: Any, role: str, unit: str, name: str = "", key: str | None = None
    ) -> httpx.Response:
        """POST JSON."""
        headers = self.provider.headers(role, unit, name) | {"idempotency-key": key or str(uuid4())}
        return await self.http.post(f"/api/v1{path}", headers=headers, json=body)


@dataclass
class Browser:
    """Asks for pages as somebody, in Chinese unless said otherwise."""

    http: httpx.AsyncClient
    provider: TokenProvider

    async def get(self, path: str, who: tuple[str, str, str], language: str = "zh-CN") -> httpx.Response:
        """Open a page."""
        headers = self.provider.headers(*who) | {"accept": "text/html", "accept-language": language}
        return await self.http.get(path, headers=headers)

    async def post(
        self, path: str, form: dict[str, str], who: tuple[str, str, str], *, htmx: bool = True
    ) -> httpx.Response:
        """Send a form."""
        headers = self.provider.headers(*who) | {"accept": "text/html", "accept-language": "zh-CN"}
        return await self.http.post(
            path, data={"key": str(uuid4())} | form, headers=headers | ({"hx-request": "true"} if htmx else {})
        )


def text_of(response: httpx.Response) -> str:
    """The page's words, without tags; a word that may be broken is whole."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.text.replace("<wbr>", "")))
