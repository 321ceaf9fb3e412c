"""The development identity provider: OpenID Connect by code with PKCE; one chooses who to be instead of proving it."""

import hashlib
import hmac
import secrets
import time
from base64 import b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus, urlencode, urlsplit

from joserfc.jwk import KeySet, RSAKey
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from anju.portal import tokens
from anju.portal.personas import Persona, find
from anju.portal.settings import Client, Settings
from chassis.web.problems import Problem

# The browser brings the code back at once (RFC 6749, section 4.1.2, allows 10 minutes).
CODE_SECONDS = 60.0
# More log-ins than this at once is no demo; the oldest are forgotten.
MOST_CODES = 1000


class Refused(Exception):
    """The token endpoint's refusal: an error code of RFC 6749, section 5.2."""

    def __init__(self, error: str, status: int = 400) -> None:
        super().__init__(error)
        self.error = error
        self.status = status


@dataclass(frozen=True, slots=True)
class Asked:
    """A client's proper request to log somebody in."""

    client: str
    redirect_uri: str
    state: str
    nonce: str
    challenge: str


@dataclass(frozen=True, slots=True)
class _Code:
    asked: Asked
    persona: Persona
    until: float


class Provider:
    """The provider's state: its key, and the codes under way. One process only."""

    def __init__(self, settings: Settings, key: RSAKey) -> None:
        self._settings = settings
        self._key = key
        self._codes: dict[str, _Code] = {}

    async def discovery(self, request: Request) -> Response:
        """`/.well-known/openid-configuration` (OpenID Connect Discovery 1.0)."""
        issuer = self._settings.issuer
        return JSONResponse(
            {
                "issuer": issuer,
                "authorization_endpoint": f"{issuer}/authorize",
                "token_endpoint": f"{issuer}/token",
                "end_session_endpoint": f"{issuer}/logout",
                "jwks_uri": f"{issuer}/jwks.json",
                "response_types_supported": ["code"],
                "grant_types_supported": ["authorization_code", "client_credentials"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": [tokens.ALGORITHM],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
                "code_challenge_methods_supported": ["S256"],
                "scopes_supported": ["openid", "profile"],
                "claims_supported": ["sub", "name", "anju_role", "anju_unit"],
            }
        )

    async def keys(self, request: Request) -> Response:
        """`/jwks.json`: the public key."""
        return JSONResponse(dict(KeySet([self._key]).as_dict(private=False)))

    def asked(self, query: Mapping[str, str]) -> Asked:
        """Return what a client asks of `/authorize`; raises Problem 400, which is never sent to the client."""
        client = self._settings.clients.get(query.get("client_id", ""))
        if client is None or query.get("redirect_uri") not in client.redirect_uris:
            raise Problem(400, "malformed-request")
        challenged = query.get("code_challenge_method") == "S256" and 43 <= len(query.get("code_challenge", "")) <= 128
        if query.get("response_type") != "code" or not challenged:
            raise Problem(400, "malformed-request")
        return Asked(
            query["client_id"],
            query["redirect_uri"],
            query.get("state", ""),
            query.get("nonce", ""),
            query["code_challenge"],
        )

    def chosen(self, asked: Asked, hint: str) -> Response | None:
        """Return the way back to the client with a code for the persona that `hint` names; None when it names none."""
        persona = find(hint)
        if persona is None:
            return None
        code = secrets.token_urlsafe(32)
        now = time.monotonic()
        self._codes = {key: kept for key, kept in list(self._codes.items())[-MOST_CODES:] if kept.until > now}
        self._codes[code] = _Code(asked, persona, now + CODE_SECONDS)
        back = urlencode({"code": code, "state": asked.state})
        return RedirectResponse(f"{asked.redirect_uri}?{back}", 303)

    async def token(self, request: Request) -> Response:
        """`/token`: a code, or a client's own credentials, for tokens (RFC 6749, sections 4.1.3 and 4.4)."""
        form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
        try:
            name = self._authenticate(request.headers.get("authorization", ""), form)
            answer = self._by_grant(name, form, datetime.now(UTC))
        except Refused as refused:
            headers = {"www-authenticate": "Basic"} if refused.status == 401 else None
            return JSONResponse({"error": refused.error}, refused.status, headers)
        return JSONResponse(answer | {"token_type": "Bearer", "expires_in": int(tokens.LIFETIME.total_seconds())})

    def _by_grant(self, client: str, form: Mapping[str, str], now: datetime) -> dict[str, Any]:
        issuer = self._settings.issuer
        match form.get("grant_type"):
            case "authorization_code":
                code = self._redeem(client, form)
                who = tokens.person(code.persona.role, code.persona.unit, code.persona.name)
                about = who | {"nonce": code.asked.nonce} if code.asked.nonce else who
                return {
                    "access_token": tokens.sign(self._key, issuer, who, tokens.AUDIENCE, now),
                    "id_token": tokens.sign(self._key, issuer, about, client, now),
                }
            case "client_credentials":
                return {"access_token": tokens.sign(self._key, issuer, tokens.service(client), tokens.AUDIENCE, now)}
        raise Refused("unsupported_grant_type")

    def _redeem(self, client: str, form: Mapping[str, str]) -> _Code:
        code = self._codes.pop(form.get("code", ""), None)  # once, whatever comes of it
        if code is None or code.until < time.monotonic() or code.asked.client != client:
            raise Refused("invalid_grant")
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        proven = hmac.compare_digest(urlsafe_b64encode(digest).rstrip(b"="), code.asked.challenge.encode())
        if not proven or form.get("redirect_uri") != code.asked.redirect_uri:
            raise Refused("invalid_grant")
        return code

    def _authenticate(self, authorization: str, form: Mapping[str, str]) -> str:
        name, secret = form.get("client_id", ""), form.get("client_secret", "")
        scheme, _space, credentials = authorization.partition(" ")
        if scheme.lower() == "basic":
            try:
                user, _colon, password = b64decode(credentials, validate=True).decode().partition(":")
            except (NotBase64, ValueError):
                raise Refused("invalid_client", 401) from None
            name, secret = unquote_plus(user), unquote_plus(password)
        client: Client | None = self._settings.clients.get(name)
        expected = client.secret.get_secret_value() if client else ""
        if client is None or not hmac.compare_digest(secret.encode(), expected.encode()):
            raise Refused("invalid_client", 401)
        return name

    async def logout(self, request: Request) -> Response:
        """`/logout`: back to the client that asked, if the address is one of that client's, else to the start."""
        client = self._settings.clients.get(request.query_params.get("client_id", ""))
        back = request.query_params.get("post_logout_redirect_uri", "")
        origins = {_origin(uri) for uri in client.redirect_uris} if client else set()
        return RedirectResponse(back if _origin(back) in origins else "/", 303)


def _origin(address: str) -> tuple[str, str]:
    parts = urlsplit(address)
    return parts.scheme, parts.netloc
