"""Tokens of the development identity provider: its signing key, and claims for a person or a service."""

import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from joserfc import jwt
from joserfc.jwk import RSAKey

from anju.portal.personas import USUAL

ALGORITHM = "RS256"  # the one that every OpenID Connect client must know (OpenID Connect Core, section 15.1)
KEY_BITS = 2048
AUDIENCE = "anju"
LIFETIME = timedelta(hours=12)
# Makes a person's id out of role, unit and name: the same three, the same person, in every city.
PEOPLE = UUID("6f1a1f0e-3a3c-5c56-9d55-7a3f6b0f2c11")


class UnknownRole(ValueError):
    """There is no such role."""


def load_key(file: Path | str) -> RSAKey:
    """Return the signing key; raises FileNotFoundError before the portal's first start."""
    key = RSAKey.import_key(Path(file).read_bytes(), {"use": "sig", "alg": ALGORITHM})
    key.ensure_kid()
    return key


def make_key(file: Path) -> RSAKey:
    """Return the signing key, made now if there is none; of two that make it at once, the first one's counts."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        coming = file.with_suffix(f".{os.getpid()}")
        coming.touch(mode=0o600)
        coming.write_bytes(RSAKey.generate_key(KEY_BITS, auto_kid=False).as_pem(private=True))
        try:
            os.link(coming, file)
        except FileExistsError:
            pass
        finally:
            coming.unlink()
    return load_key(file)


def issue(key: RSAKey, issuer: str, role: str, unit: str | None, name: str | None, now: datetime) -> str:
    """Return a bearer token for the API, valid for LIFETIME from `now`; raises UnknownRole.

    Without `unit` it is the role's usual one, without `name` the role's usual person.
    """
    return sign(key, issuer, person(role, unit, name), AUDIENCE, now)


def person(role: str, unit: str | None = None, name: str | None = None) -> dict[str, Any]:
    """Return the claims about a person."""
    if role not in USUAL:
        raise UnknownRole(f"There is no role {role!r}: one of {', '.join(USUAL)}.")
    usual_unit, usual_name = USUAL[role]
    unit, name = unit or usual_unit, name or usual_name
    subject = str(uuid5(PEOPLE, f"{role}|{unit}|{name}"))
    return {"sub": subject, "name": name, "anju_role": role, "anju_unit": unit}


def service(client: str) -> dict[str, Any]:
    """Return the claims about a service that acts for itself."""
    return {"sub": client, "name": client, "anju_role": "service", "anju_unit": ""}


def sign(key: RSAKey, issuer: str, claims: Mapping[str, Any], audience: str, now: datetime) -> str:
    """Return `claims` as a signed token of `issuer` for `audience`."""
    times = {"iat": int(now.timestamp()), "exp": int((now + LIFETIME).timestamp())}
    header = {"alg": ALGORITHM, "kid": key.kid}
    return jwt.encode(header, {"iss": issuer, "aud": audience, **claims, **times}, key, algorithms=[ALGORITHM])
