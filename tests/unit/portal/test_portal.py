"""The portal: a provider that a service's real log-in accepts, refusals by the standard, a page without dead links."""

import base64
import hashlib
import re
import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from anju.city import guest
from anju.portal import tokens, wiring
from anju.portal.personas import DESKS, USUAL, everybody
from anju.portal.settings import Settings, load
from chassis.data.db import Database
from chassis.run.settings import BadSettings
from chassis.web.app import create_app
from chassis.web.oidc import BadToken
from tests.unit.chassis_web.demo import ORIGIN, make_settings, web

ISSUER = "http://portal.test"
UNITS = Path(__file__).resolve().parents[3] / "deploy" / "units.yaml"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
ASKED = {
    "client_id": "demo",
    "redirect_uri": f"{ORIGIN}/callback",
    "response_type": "code",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
    "state": "st",
    "nonce": "no",
}


def portal_settings(key_file: Path) -> Settings:
    values: dict[str, Any] = {
        "environment": "test",
        "issuer": ISSUER,
        "key_file": key_file,
        "clients": {"demo": {"secret": "demo-secret", "redirect_uris": [f"{ORIGIN}/callback"]}},
        "public_urls": {"portal": ISSUER, "alerts": "http://alerts.test", "registration": "http://registration.test"},
        "units_file": UNITS,
    }
    return Settings(**values)


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the signing key lies."""
    return tmp_path_factory.mktemp("portal") / "deep" / "signing-key.pem"


@pytest.fixture
async def portal(key_file: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the portal."""
    app = wiring.web(portal_settings(key_file)).app
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=ISSUER) as made:
        yield made


@pytest.fixture
async def service(portal: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a service whose provider is the portal, by settings alone."""
    settings = make_settings(oidc_issuer=ISSUER)
    parts = create_app(settings, Database(settings.database_url, service="demo"), title="Demo", routers=[web])
    parts.app.state.oidc._client = portal
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=parts.app), base_url=ORIGIN) as made:
        made.headers["accept"] = "text/html"
        yield made


async def test_one_click_and_one_is_there(portal: httpx.AsyncClient, service: httpx.AsyncClient) -> None:
    start = await service.get("/login?hint=officer-2&next=/")
    code = await portal.get(start.headers["location"])
    assert code.headers["location"].startswith(f"{ORIGIN}/callback?code=")
    done = await service.get(code.headers["location"])
    assert (done.status_code, done.headers["location"]) == (303, "/")
    page = await service.get("/")
    assert page.status_code == 200
    assert "赵屿" in page.text
    out = await service.post("/logout", headers={"sec-fetch-site": "same-origin"})
    back = await portal.get(out.headers["location"])
    assert back.headers["location"] == f"{ORIGIN}/signed-out"


async def test_without_a_hint_one_chooses(portal: httpx.AsyncClient) -> None:
    page = await portal.get("/authorize", params=ASKED | {"client_id": "demo"})
    assert page.status_code == 200
    assert "<h1" in page.text


async def test_claims_are_those_of_dev_token(
    portal: httpx.AsyncClient, service: httpx.AsyncClient, key_file: Path
) -> None:
    provider = service._transport.app.state.oidc  # type: ignore[attr-defined]
    key, now = tokens.load_key(key_file), datetime.now(UTC)
    claims = await provider.verify(tokens.issue(key, ISSUER, "duty_officer", None, None, now), "anju")
    assert (claims["name"], claims["anju_role"], claims["anju_unit"]) == ("张岚", "duty_officer", "command-centre")
    again = await provider.verify(tokens.issue(key, ISSUER, "duty_officer", "command-centre", "张岚", now), "anju")
    other = await provider.verify(tokens.issue(key, ISSUER, "duty_officer", None, "赵屿", now), "anju")
    assert claims["sub"] == again["sub"] != other["sub"]
    assert claims["exp"] - claims["iat"] == 12 * 3600
    with pytest.raises(BadToken):
        await provider.verify(tokens.issue(key, ISSUER, "clerk", None, None, now - timedelta(hours=13)), "anju")
    with pytest.raises(tokens.UnknownRole):
        tokens.issue(key, ISSUER, "emperor", None, None, now)


async def test_a_service_gets_its_own_token(service: httpx.AsyncClient) -> None:
    provider = service._transport.app.state.oidc  # type: ignore[attr-defined]
    claims = await provider.verify(await provider.service_token(), "anju")
    assert (claims["sub"], claims["anju_role"]) == ("demo", "service")


async def code_of(portal: httpx.AsyncClient) -> str:
    answer = await portal.get("/authorize", params=ASKED | {"login_hint": "clerk-1"})
    assert httpx.URL(answer.headers["location"]).params["state"] == "st"
    return httpx.URL(answer.headers["location"]).params["code"]


async def redeem(portal: httpx.AsyncClient, proper: str, **changed: str) -> tuple[int, dict[str, Any]]:
    form = {
        "grant_type": "authorization_code",
        "code": proper,
        "redirect_uri": f"{ORIGIN}/callback",
        "code_verifier": VERIFIER,
        "client_id": "demo",
        "client_secret": "demo-secret",
    }
    answer = await portal.post("/token", data=form | changed)
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, answer.json()


async def test_a_code_is_good_once(portal: httpx.AsyncClient) -> None:
    code = await code_of(portal)
    status, answer = await redeem(portal, code)
    assert (status, answer["token_type"]) == (200, "Bearer")
    assert await redeem(portal, code) == (400, {"error": "invalid_grant"})


@pytest.mark.parametrize(
    ("changed", "status", "error"),
    [
        ({"code": "invented"}, 400, "invalid_grant"),
        ({"code_verifier": "w" * 43}, 400, "invalid_grant"),
        ({"code_verifier": ""}, 400, "invalid_grant"),
        ({"redirect_uri": "http://evil.test"}, 400, "invalid_grant"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "stranger"}, 401, "invalid_client"),
        ({"client_secret": ""}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
async def test_refusals(portal: httpx.AsyncClient, changed: dict[str, str], status: int, error: str) -> None:
    code = await code_of(portal)
    assert await redeem(portal, code, **changed) == (status, {"error": error})


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": "stranger"},
        {"redirect_uri": "http://evil.test/callback"},
        {"response_type": "token"},
        {"code_challenge": ""},
        {"code_challenge_method": "plain"},
    ],
)
async def test_an_improper_request_leads_nowhere(portal: httpx.AsyncClient, changed: dict[str, str]) -> None:
    answer = await portal.get("/authorize", params=ASKED | {"login_hint": "clerk-1"} | changed)
    assert answer.status_code == 400
    assert "location" not in answer.headers


async def test_log_out_leads_to_no_other_site(portal: httpx.AsyncClient) -> None:
    for address in ("http://evil.test/", "//evil.test", "javascript:alert(1)", ""):
        query = {"client_id": "demo", "post_logout_redirect_uri": address}
        assert (await portal.get("/logout", params=query)).headers["location"] == "/"


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_the_start_page_has_every_persona_and_only_ways_that_exist(
    portal: httpx.AsyncClient, language: str
) -> None:
    page = await portal.get("/", headers={"accept-language": language, "accept": "text/html"})
    ways = re.findall(r'<a href="([^"]+)" data-role="([^"]+)" data-unit="([^"]+)" data-persona="([^"]+)"', page.text)
    assert [(role, unit, key) for _way, role, unit, key in ways] == [
        (persona.role, persona.unit, persona.key) for persona in everybody()
    ]
    for way, _role, _unit, key in ways:
        assert urlsplit(way.replace("&amp;", "&")).path == "/login"
        assert f"hint={key}" in way
    assert ("柳堤派出所" in page.text) == (language == "zh-CN")
    assert ("Liudi police station" in page.text) == (language == "en")
    assert not re.search(r"<[^>]+ (style|on\w+)=|<script>|<style", page.text)


def test_personas_stand_where_the_interfaces_say() -> None:
    assert len({persona.key for persona in everybody()}) == len(list(everybody()))
    officers = [persona for persona in everybody() if persona.role == "duty_officer"]
    assert len({persona.name for persona in officers}) == 3
    assert {persona.unit for persona in everybody() if persona.role == "clerk"} == {"station-01", "station-02"}
    author = next(persona for persona in everybody() if persona.role == "notice_author")
    approver = next(persona for persona in everybody() if persona.role == "notice_approver")
    assert author.unit != approver.unit
    assert {desk.service for desk in DESKS} == {"alerts", "registration", "housing", "reporting"}
    assert all(USUAL[persona.role] for persona in everybody())


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "signing-key.pem"
    first = tokens.make_key(file)
    assert tokens.make_key(file).kid == first.kid == tokens.load_key(file).kid
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["signing-key.pem"]


def test_never_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "ISSUER": ISSUER,
        "KEY_FILE": "/nowhere",
        "CLIENTS": "{}",
        "PUBLIC_URLS": "{}",
        "UNITS_FILE": str(UNITS),
    }.items():
        monkeypatch.setenv(f"ANJU_PORTAL_{name}", value)
    with pytest.raises(BadSettings, match="must be demo or test"):
        load()
    monkeypatch.setenv("ANJU_PORTAL_ENVIRONMENT", "demo")
    assert load().issuer == ISSUER


async def test_things_to_try_lead_to_desks_that_are_there(portal: httpx.AsyncClient) -> None:
    page = await portal.get("/", headers={"accept": "text/html"})
    ways = re.findall(r'<a class="btn btn-sm" href="([^"]+)"', page.text)
    hints = {persona.key for persona in everybody()}
    assert len(ways) == 6
    assert {re.search(r"hint=([a-z0-9-]+)", way).group(1) for way in ways} <= hints  # type: ignore[union-attr]
    assert guest.person()["document"]["number"] in page.text


async def test_figures_are_calm_without_any_service(portal: httpx.AsyncClient) -> None:
    answer = await portal.get("/pipeline.json")
    assert answer.status_code == 200
    assert answer.json()["per_minute"] is None
    assert answer.headers["cache-control"] == "no-store"
