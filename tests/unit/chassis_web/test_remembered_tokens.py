"""A verified token is remembered: it is decoded once, and counts no longer than before."""

import time
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OKPKey

from chassis.web import oidc
from tests.unit.chassis_web.demo import FakeProvider
from tests.unit.chassis_web.test_access import post


async def test_a_token_is_verified_once_and_counts_no_longer_than_it_lasts_or_its_key_is_known(
    client: httpx.AsyncClient, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[str] = []
    decode = jwt.decode

    def counted(token: str, *rest: Any, **named: Any) -> Any:
        decoded.append(token)
        return decode(token, *rest, **named)

    monkeypatch.setattr(jwt, "decode", counted)
    now = time.time()
    token = provider.token(exp=int(now) + 600)
    for _each in range(3):
        assert (await post(client, token)).status_code == 200
    assert decoded == [token]
    monkeypatch.setattr(time, "time", lambda: now + 700)
    assert (await post(client, token)).status_code == 401
    monkeypatch.setattr(time, "time", lambda: now)
    assert (await post(client, token)).status_code == 200
    provider.key = OKPKey.generate_key("Ed25519", {"kid": "another"})
    monkeypatch.setattr(oidc, "KEYS_SECONDS", 0.0)
    monkeypatch.setattr(oidc, "RETRY_SECONDS", 0.0)
    assert (await post(client, token)).status_code == 401
