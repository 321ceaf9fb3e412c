"""Log-in of people at pages: authorization code with PKCE, then a sealed cookie; no session is kept on the server."""

import hashlib
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from chassis.run.settings import ServiceSettings, decode_secret
from chassis.web.oidc import LoginRefused, Provider
from chassis.web.problems import Problem

# A shift: who logged in in the morning is not asked again before the evening.
SESSION_SECONDS = 12 * 3600
# The time to log in at the provider.
LOGIN_SECONDS = 600
NONCE_BYTES = 12  # AES-GCM's own size
LONGEST_COOKIE = 4096  # browsers keep no more (RFC 6265, section 6.1)
# The sealed cookie takes four thirds of it, beside the claims; a longer one is not kept, and other services not asked.
LONGEST_TOKEN = 2400


class Sealer:
    """Seals small values into cookies (AES-256-GCM); a cookie of another name, service or secret does not open."""

    def __init__(self, secret: bytes) -> None:
        self._key = AESGCM(HKDF(SHA256(), 32, salt=None, info=b"anju cookie").derive(secret))

    def seal(self, name: str, value: Mapping[str, Any]) -> str:
        """Return `value` sealed for the cookie `name`."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._key.encrypt(nonce, orjson.dumps(value), name.encode())
        return urlsafe_b64encode(nonce + sealed).decode().rstrip("=")

    def open(self, name: str, text: str, now: float) -> dict[str, Any] | None:
        """Return what was sealed, or None when it is not ours, was changed, or its `until` has passed."""
        if not text or len(text) > LONGEST_COOKIE:
            return None
        try:
            raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
            value = orjson.loads(self._key.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], name.encode()))
        except (InvalidTag, ValueError):
            return None
        return value if isinstance(value, dict) and value.get("until", 0) > now else None


class Sessions:
    """The log-ins at one service's pages."""

    def __init__(self, settings: ServiceSettings, provider: Provider) -> None:
        service = settings.service()
        self.address = settings.public_urls.get(service, "").rstrip("/")
        origin = urlsplit(self.address)
        # Cookies ignore ports: two cities on one machine would take each other's session.
        self._cookie = f"anju_{service}_{origin.port}" if origin.port else f"anju_{service}"
        self._secure = origin.scheme == "https"
        self._sealer = Sealer(decode_secret(settings.session_secret))
        self._settings = settings
        self._provider = provider

    def read(self, request: Request) -> dict[str, Any] | None:
        """Return the session of a request: sub, name, role, unit, token, until; None without a valid one."""
        return self._sealer.open(self._cookie, request.cookies.get(self._cookie, ""), time.time())

    async def login(self, request: Request) -> Response:
        """Send the browser to the provider. `next` is a path of ours to come back to, `hint` goes to the provider."""
        metadata = await self._provider.metadata()
        verifier, state, nonce = (secrets.token_urlsafe(32) for _each in range(3))
        challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        query = {
            "response_type": "code",
            "client_id": self._settings.oidc_client_id,
            "redirect_uri": f"{self.address}/callback",
            "scope": "openid profile",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        if hint := request.query_params.get("hint", ""):
            query["login_hint"] = hint[:100]
        response = RedirectResponse(f"{metadata.authorization_endpoint}?{urlencode(query)}", 303)
        started = {"verifier": verifier, "nonce": nonce, "next": local_path(request.query_params.get("next", "/"))}
        self._set(response, self._login_cookie(state), started, LOGIN_SECONDS)
        return response

    async def callback(self, request: Request) -> Response:
        """Take the provider's answer and set the session. Raises LoginRefused."""
        state, code = request.query_params.get("state", ""), request.query_params.get("code", "")
        name = self._login_cookie(state)
        started = self._sealer.open(name, request.cookies.get(name, ""), time.time())
        if started is None or not code:
            raise LoginRefused
        person = await self._provider.exchange(code, started["verifier"], f"{self.address}/callback", started["nonce"])
        claims = person.claims
        session = {
            "sub": str(claims["sub"]),
            "name": str(claims.get("name") or claims.get("preferred_username") or ""),
            "role": str(claims.get(self._settings.claim_role) or ""),
            "unit": str(claims.get(self._settings.claim_unit) or ""),
            "token": person.access_token if len(person.access_token) <= LONGEST_TOKEN else "",
        }
        response = RedirectResponse(started["next"], 303)
        self._set(response, self._cookie, session, SESSION_SECONDS)
        response.delete_cookie(name)
        return response

    async def logout(self, request: Request) -> Response:
        """End the session, here and at the provider where that has a page for it."""
        endpoint = None
        with suppress(Problem):  # an unreachable provider must not keep the session here alive
            endpoint = (await self._provider.metadata()).end_session_endpoint
        back = {"client_id": self._settings.oidc_client_id, "post_logout_redirect_uri": f"{self.address}/signed-out"}
        response = RedirectResponse(f"{endpoint}?{urlencode(back)}" if endpoint else "/signed-out", 303)
        response.delete_cookie(self._cookie)
        return response

    def _login_cookie(self, state: str) -> str:
        # One for each log-in under way: two tabs may log in at once.
        return f"{self._cookie}_login_{hashlib.sha256(state.encode(errors='replace')).hexdigest()[:8]}"

    def _set(self, response: Response, name: str, value: Mapping[str, Any], seconds: int) -> None:
        sealed = self._sealer.seal(name, {**value, "until": time.time() + seconds})
        response.set_cookie(name, sealed, max_age=seconds, httponly=True, samesite="lax", secure=self._secure)


def local_path(path: str) -> str:
    """Return `path` if it is one of ours, else `/`: a log-in must not end at another site."""
    if (
        path.startswith("/")
        and not path.startswith("//")
        and "\\" not in path
        and path.isascii()
        and path.isprintable()
    ):
        return path
    return "/"


def is_same_origin(request: Request) -> bool:
    """Tell whether a request that changes something was sent by a page of ours, or by its user's own hand.

    Browsers say so in Sec-Fetch-Site (Fetch Metadata, W3C), where they know the address as secure, else in Origin.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == request.headers.get("host")
