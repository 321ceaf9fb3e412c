"""The OpenID Connect provider, as a service meets it: discovery, keys, tokens. Any provider, by settings alone."""

import asyncio
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import structlog
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from chassis.run.settings import ServiceSettings
from chassis.web.problems import Problem

log = structlog.get_logger()

# Asymmetric ones only: a shared secret, or none, would let whoever reads a setting make tokens.
ALGORITHMS = ["RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519"]
# Clocks of two machines; more would let ended tokens live on.
LEEWAY_SECONDS = 30
# Keys are read again this often, so that a key that was taken back stops counting.
KEYS_SECONDS = 600.0
# A token with an unknown key id makes the keys be read again, but made-up ids must not become a load on the provider.
RETRY_SECONDS = 5.0
REQUEST_SECONDS = 5.0
# More callers at once than a web process has; forgotten all together, since their tokens end anyway.
MOST_VERIFIED = 1000
# A service's own token is renewed this long before it ends.
RENEW_SECONDS = 60.0
# A token is a few hundred bytes, a kilobyte or two with many claims.
LONGEST_TOKEN = 8192


class BadToken(Exception):
    """The token is not valid: not ours, ended, changed, or for somebody else."""


class LoginRefused(Exception):
    """The provider did not give a token for this code."""


@dataclass(frozen=True, slots=True)
class _Metadata:
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    end_session_endpoint: str | None


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A person whom the provider knows, and the token by which a service may ask another one as that person."""

    claims: dict[str, Any]
    access_token: str


class Provider:
    """The provider that the settings name. Everything is read when it is first needed, and kept.

    Every method that asks the provider raises Problem 503 when it cannot be reached: a reader is never told that a
    valid token is wrong.
    """

    def __init__(self, settings: ServiceSettings, client: httpx.AsyncClient | None = None) -> None:
        self._settings = settings
        self._client = client
        self._metadata: _Metadata | None = None
        self._keys: KeySet | None = None
        self._keys_read = float("-inf")
        self._keys_tried = float("-inf")
        self._reading = asyncio.Lock()
        self._own_token: tuple[str, float] | None = None
        # By token and audience, until the keys are read again or the token ends: nothing else takes a token back.
        self._verified: dict[tuple[str, str], dict[str, Any]] = {}

    async def verify(self, token: str, audience: str, nonce: str | None = None) -> dict[str, Any]:
        """Return the claims of a token of this provider for `audience`; raises BadToken."""
        if len(token) > LONGEST_TOKEN:
            raise BadToken
        keys = await self._current_keys()
        known = self._verified.get((token, audience)) if nonce is None else None
        if known is not None and known["exp"] > time.time():
            return known
        try:
            claims = self._decode(token, keys, audience, nonce)
        except _UnknownKey:
            keys = await self._current_keys(newer_than=keys)
            try:
                claims = self._decode(token, keys, audience, nonce)
            except _UnknownKey:
                raise BadToken from None
        if nonce is None:
            if len(self._verified) >= MOST_VERIFIED:
                self._verified.clear()
            self._verified[token, audience] = claims
        return claims

    def _decode(self, token: str, keys: KeySet, audience: str, nonce: str | None) -> dict[str, Any]:
        wanted: dict[str, Any] = {
            "iss": {"essential": True, "value": self._settings.oidc_issuer},
            "aud": {"essential": True, "value": audience},
            "exp": {"essential": True},
            "sub": {"essential": True},
        }
        if nonce is not None:
            wanted["nonce"] = {"essential": True, "value": nonce}
        try:
            decoded = jwt.decode(token, keys, algorithms=ALGORITHMS)
            jwt.JWTClaimsRegistry(leeway=LEEWAY_SECONDS, **wanted).validate(decoded.claims)
        except InvalidKeyIdError:
            raise _UnknownKey from None
        except JoseError as error:
            raise BadToken from error
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise BadToken from error  # a token is input: whatever it trips over is its fault
        return dict(decoded.claims)

    async def _current_keys(self, newer_than: KeySet | None = None) -> KeySet:
        async with self._reading:
            now = time.monotonic()
            stale = self._keys is None or now - self._keys_read > KEYS_SECONDS or self._keys is newer_than
            rested = now - self._keys_tried > RETRY_SECONDS
            if stale and (self._keys is None or rested):
                self._keys_tried = now
                await self._read_keys(now, must=newer_than is not None)
            assert self._keys is not None
            return self._keys

    async def _read_keys(self, now: float, *, must: bool) -> None:
        try:
            answer = await self._get((await self.metadata()).jwks_uri)
            keys = KeySet.import_key_set({"keys": list(answer["keys"])})
        except (JoseError, ValueError, TypeError, KeyError):
            log.error("identity-provider-keys-unreadable")
            raise _unavailable() from None
        except Problem:
            # Known keys go on counting through an outage; a token with a key that nobody knows has to wait.
            if self._keys is None or must:
                raise
            return
        self._keys, self._keys_read = keys, now
        self._verified.clear()

    async def metadata(self) -> "_Metadata":
        """Return the provider's endpoints (OpenID Connect Discovery 1.0)."""
        if self._metadata is None:
            address = self._settings.oidc_issuer.rstrip("/") + "/.well-known/openid-configuration"
            found = await self._get(address)
            if found.get("issuer") != self._settings.oidc_issuer:
                log.error("identity-provider-names-another-issuer")
                raise _unavailable()
            try:
                self._metadata = _Metadata(
                    str(found["authorization_endpoint"]),
                    str(found["token_endpoint"]),
                    str(found["jwks_uri"]),
                    found.get("userinfo_endpoint"),
                    found.get("end_session_endpoint"),
                )
            except KeyError:
                log.error("identity-provider-discovery-incomplete")
                raise _unavailable() from None
        return self._metadata

    async def exchange(self, code: str, verifier: str, redirect_uri: str, nonce: str) -> LoggedIn:
        """Return the person who logged in, for an authorization code with PKCE (RFC 7636).

        Claims come from the ID token, and from the userinfo endpoint where the role is not in it. Raises LoginRefused.
        """
        answer = await self._token(
            {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, "code_verifier": verifier}
        )
        try:
            claims = await self.verify(str(answer["id_token"]), self._settings.oidc_client_id, nonce)
            access_token = str(answer["access_token"])
        except (BadToken, KeyError):
            raise LoginRefused from None
        endpoint = (await self.metadata()).userinfo_endpoint
        if self._settings.claim_role not in claims and endpoint:
            more = await self._get(endpoint, {"authorization": f"Bearer {access_token}"})
            if more.get("sub") == claims["sub"]:
                claims = more | claims
        return LoggedIn(claims, access_token)

    async def service_token(self) -> str:
        """Return a token of this service's own (client credentials, RFC 6749 section 4.4), kept until near its end."""
        now = time.monotonic()
        if self._own_token is None or self._own_token[1] - now < RENEW_SECONDS:
            try:
                answer = await self._token({"grant_type": "client_credentials"})
                token, seconds = str(answer["access_token"]), float(answer.get("expires_in", 300))
            except (LoginRefused, KeyError, ValueError):
                log.error("identity-provider-refuses-this-service")
                raise _unavailable() from None
            self._own_token = (token, now + seconds)
        return self._own_token[0]

    async def _token(self, form: Mapping[str, str]) -> dict[str, Any]:
        endpoint = (await self.metadata()).token_endpoint
        secret = self._settings.oidc_client_secret.get_secret_value()
        basic = httpx.BasicAuth(self._settings.oidc_client_id, secret)
        try:
            response = await self._http().post(endpoint, data=dict(form), auth=basic)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from None
        if response.status_code >= 500:
            raise _unavailable()
        if response.status_code != 200:
            raise LoginRefused
        return _object(response)

    async def _get(self, address: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        try:
            response = await self._http().get(address, headers=headers)
            response.raise_for_status()
        except httpx.HTTPError as error:
            raise self._unreachable(error) from None
        return _object(response)

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            # trust_env off: a proxy meant for the internet must not get these tokens.
            self._client = httpx.AsyncClient(timeout=REQUEST_SECONDS, trust_env=False, verify=_authorities())
        return self._client

    def _unreachable(self, error: Exception) -> Problem:
        log.warning("identity-provider-unreachable", exc_info=error)
        return _unavailable()


def _authorities() -> ssl.SSLContext:
    """Trust the public authorities, the machine's, and those of SSL_CERT_FILE: a site's provider often has its own."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context


class _UnknownKey(Exception):
    """The token names a key that is not among those read."""


def _object(response: httpx.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        log.error("identity-provider-answers-no-json")
        raise _unavailable()
    return answer


def _unavailable() -> Problem:
    return Problem(503, "identity-provider-unavailable")
