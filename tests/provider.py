"""An OpenID Connect provider behind httpx, for tests of a service's API: it signs tokens, a service verifies them."""

import time
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import httpx
from joserfc import jwt
from joserfc.jwk import KeySet, OKPKey

from chassis.run.service import WebParts

ISSUER = "http://provider.test"


@dataclass
class TokenProvider:
    """Give it to a service with `serve(parts)`; then `headers(role, unit)` are those of a logged-in request.

    A service in a process of its own reads `pages()` over HTTP, at `issuer`.
    """

    issuer: str = ISSUER
    lasts_seconds: int = 600
    key: OKPKey = field(default_factory=lambda: OKPKey.generate_key("Ed25519", {"kid": "one"}))

    def serve(self, parts: WebParts) -> None:
        """Let the service's application read discovery and keys from here."""
        parts.app.state.oidc._client = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))

    def subject(self, role: str, unit: str, name: str = "") -> str:
        """The person of a role, unit and name; of a service its own name."""
        return name if role == "service" else str(uuid5(NAMESPACE_URL, f"{role}|{unit}|{name}"))

    def headers(self, role: str, unit: str, name: str = "", *, purpose: str = "", case: str = "") -> dict[str, str]:
        """The headers of a request by that person, with purpose and case where personal data is read."""
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": ["anju"],
            "sub": self.subject(role, unit, name),
            "name": name or role,
            "anju_role": role,
            "anju_unit": unit,
            "iat": now,
            "exp": now + self.lasts_seconds,
        }
        token = jwt.encode({"alg": "Ed25519", "kid": self.key.kid}, claims, self.key, algorithms=["Ed25519"])
        why = {"anju-purpose": purpose, "anju-case": case}
        return {"authorization": f"Bearer {token}"} | {name: value for name, value in why.items() if value}

    def pages(self) -> dict[str, Any]:
        """What a provider tells by path: discovery and keys."""
        return {
            "/.well-known/openid-configuration": {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/jwks.json",
            },
            "/jwks.json": dict(KeySet([self.key]).as_dict(private=False)),
        }

    def _answer(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=self.pages()[request.url.path])
