"""Keycloak of a city in containers, as an administrator and as people at its log-in page meet it."""

import re
import secrets
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

# The pair of RFC 7636, appendix B.
VERIFIER, CHALLENGE = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
FORM = re.compile(r'<form[^>]*id="kc-form-login"[^>]*action="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account."""

    username: str
    name: str
    password: str = field(default_factory=lambda: secrets.token_urlsafe(16), repr=False)


@dataclass(frozen=True, slots=True)
class Keycloak:
    """The realm `anju` of the Keycloak at `address`."""

    address: str
    admin_password: str = field(repr=False)

    @property
    def issuer(self) -> str:
        """What the services take for ANJU_<SERVICE>_OIDC_ISSUER."""
        return f"{self.address}/realms/anju"

    async def is_ready(self, http: httpx.AsyncClient) -> bool:
        """Whether the realm answers."""
        try:
            return (await http.get(f"{self.issuer}/.well-known/openid-configuration")).status_code == 200
        except httpx.HTTPError:
            return False

    async def add(self, http: httpx.AsyncClient, username: str, name: str, role: str, unit: str) -> Person:
        """Give somebody an account, as an administrator does: role and unit are attributes of it."""
        form = {
            "grant_type": "password",
            "client_id": "admin-cli",
            "username": "admin",
            "password": self.admin_password,
        }
        given = await http.post(f"{self.address}/realms/master/protocol/openid-connect/token", data=form)
        assert given.status_code == 200, given.text
        person = Person(username, name)
        body = {
            "username": person.username,
            "firstName": person.name,
            "enabled": True,
            "attributes": {"anju_role": [role], "anju_unit": [unit]},
            "credentials": [{"type": "password", "value": person.password, "temporary": False}],
        }
        headers = {"Authorization": f"Bearer {given.json()['access_token']}"}
        made = await http.post(f"{self.address}/admin/realms/anju/users", json=body, headers=headers)
        assert made.status_code == 201, made.text
        return person

    async def log_in(self, http: httpx.AsyncClient, address: str, person: Person) -> httpx.Response:
        """Open a page that needs a log-in, fill Keycloak's form in, and return what the browser ends at."""
        form = await http.get(address, follow_redirects=True)
        return await http.post(
            _action(form), data={"username": person.username, "password": person.password}, follow_redirects=True
        )

    async def token(self, http: httpx.AsyncClient, client: str, secret: str, redirect_uri: str, person: Person) -> str:
        """A person's access token by the authorization code flow with PKCE."""
        asked = {
            "response_type": "code",
            "client_id": client,
            "redirect_uri": redirect_uri,
            "scope": "openid profile",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        protocol = f"{self.issuer}/protocol/openid-connect"
        form = await http.get(f"{protocol}/auth?{urlencode(asked)}")
        sent = await http.post(_action(form), data={"username": person.username, "password": person.password})
        code = parse_qs(urlsplit(sent.headers["location"]).query)["code"][0]
        exchanged = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": VERIFIER,
        }
        answer = await http.post(f"{protocol}/token", data=exchanged, auth=(client, secret))
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        return token


def _action(page: httpx.Response) -> str:
    assert page.status_code == 200, page.text
    found = FORM.search(page.text)
    assert found, f"no log-in form at {page.url}: {page.text[:2000]}"
    return unescape(found[1])
