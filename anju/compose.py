"""Owns the settings of a city in containers: addresses, and secrets by the names that docker-compose.yml gives them."""

import base64
import secrets
import uuid

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from contracts import departments

SERVICES = ("registration", "housing", "alerts", "reporting")
# What the outside reaches, each at the port base plus its place.
ADDRESSES = ("portal", *SERVICES, "keycloak", "grafana")
_PASSWORDS = (
    *("POSTGRES_PASSWORD", "KAFKA_BROKER_PASSWORD", "KAFKA_OPERATOR_PASSWORD"),
    *("KEYCLOAK_DATABASE_PASSWORD", "KEYCLOAK_PASSWORD", "GRAFANA_PASSWORD"),
)


def settings(host: str, port_base: int, *, tls: bool, issuer: str | None) -> dict[str, str]:
    """Return the variables with new secrets; none has a character that a .env file, JSON or JAAS reads as its own."""
    scheme = "https" if tls else "http"
    found = {"ANJU_HOST": host}
    for place, name in enumerate(ADDRESSES):
        found[f"{name.upper()}_PORT"] = str(port_base + place)
        found[f"{name.upper()}_URL"] = f"{scheme}://{host}:{port_base + place}"
    found["OIDC_ISSUER"] = issuer or found["PORTAL_URL"]
    found["ANJU_ENVIRONMENT"] = "production" if issuer else "demo"
    found["KAFKA_CLUSTER_ID"] = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    for name in _PASSWORDS:
        found[name] = secrets.token_urlsafe(24)
    for department in sorted(departments.DEPARTMENTS):
        found[f"{_capitals(department)}_KAFKA_PASSWORD"] = secrets.token_urlsafe(24)
    for service in SERVICES:
        for name in ("DATABASE_PASSWORD", "KAFKA_PASSWORD", "CLIENT_SECRET"):
            found[f"{_capitals(service)}_{name}"] = secrets.token_urlsafe(24)
        for name in ("SESSION_SECRET", "IDEMPOTENCY_SECRET", "ENCRYPTION_KEY"):
            found[f"{_capitals(service)}_{name}"] = _key()
    return found | {"LOOKUP_TOKEN_KEY": _key(), "MATCHING_TOKEN_KEY": _key()} | _notice_keys()


def _notice_keys() -> dict[str, str]:
    private = Ed25519PrivateKey.generate()
    return {
        "NOTICE_SIGNING_KEY": _text(private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())),
        "NOTICE_VERIFY_KEY": _text(private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)),
    }


def _key() -> str:
    return _text(secrets.token_bytes(32))


def _text(key: bytes) -> str:
    return base64.b64encode(key).decode()


def _capitals(name: str) -> str:
    return name.upper().replace("-", "_")
