"""The desks of a city in containers: their client, and the people at them, who log in at the portal."""

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from tests.compose.city import HOST, ContainerCity
from tests.system.desks import Desks

# The persona of the development portal who has the role, at the client whose desk it is.
PERSONAS = {
    "clerk": ("registration", "clerk-1"),
    "inspector": ("housing", "inspector-1"),
    "notice_author": ("alerts", "author-1"),
    "notice_approver": ("alerts", "approver-1"),
    "duty_officer": ("alerts", "officer-1"),
}


class LoopbackTransport(httpx.AsyncHTTPTransport):
    """Reaches the proxy at 127.0.0.1 by the name that browsers resolve there by themselves."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request; its Host header keeps the name."""
        if request.url.host == HOST:
            # Another request: cookies are kept by the address of the one that was given.
            address = request.url.copy_with(host="127.0.0.1")
            request = httpx.Request(
                request.method, address, headers=request.headers, stream=request.stream, extensions=request.extensions
            )
        return await super().handle_async_request(request)


@dataclass(frozen=True)
class ContainerDesks(Desks):
    """Desks whose tokens come from the identity provider by its own flow."""

    tokens: Any = None

    def at(self, tokens: dict[str, str]) -> "ContainerDesks":
        """The same desks with other people at them: role → token."""
        return replace(self, tokens=tokens)

    def token(self, role: str, unit: str | None = None, name: str | None = None) -> str:
        """Return the token of the role's persona."""
        token: str = self.tokens[role]
        return token


async def token_of(city: ContainerCity, http: httpx.AsyncClient, client: str, persona: str) -> str:
    """A person's token by the authorization code flow with PKCE (RFC 7636, appendix B has this pair)."""
    back = f"{city.settings[f'{client.upper()}_URL']}/callback"
    asked = {
        "response_type": "code",
        "client_id": client,
        "redirect_uri": back,
        "scope": "openid profile",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
        "login_hint": persona,
    }
    portal = city.settings["PORTAL_URL"]
    answer = await http.get(f"{portal}/authorize?{urlencode(asked)}")
    assert answer.status_code == 303, answer.text
    form = {
        "grant_type": "authorization_code",
        "code": parse_qs(urlsplit(answer.headers["location"]).query)["code"][0],
        "redirect_uri": back,
        "code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    }
    secret = city.settings[f"{client.upper()}_CLIENT_SECRET"]
    answer = await http.post(f"{portal}/token", data=form, auth=(client, secret))
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["access_token"]
    return token
