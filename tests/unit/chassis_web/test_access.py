"""Who is asking: tokens of the provider and no others, roles, purpose and case, sessions of pages."""

import time
from collections.abc import Callable

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey
from starlette.requests import Request

from chassis.run.service import WebParts
from chassis.web import oidc
from chassis.web.access import Access, within
from chassis.web.sessions import local_path
from tests.unit.chassis_web.demo import ISSUER, ORIGIN, FakeProvider, client_of

THING = "/api/v1/things/01935a3b-0000-7000-8000-000000000001"
WHY = {"anju-purpose": "registration_service", "anju-case": "C-1"}
PAGE = {"accept": "text/html", "accept-language": "en"}


async def post(client: httpx.AsyncClient, token: str | None) -> httpx.Response:
    headers = {"authorization": f"Bearer {token}"} if token is not None else {}
    return await client.post("/api/v1/things", json={"name": "a"}, headers=headers)


async def test_a_valid_token_is_the_caller(client: httpx.AsyncClient, provider: FakeProvider) -> None:
    response = await post(client, provider.token())
    assert response.json() == {"name": "a", "by": "0b4bd7c1-0000-4000-8000-000000000001"}


async def test_another_role_is_403(client: httpx.AsyncClient, provider: FakeProvider) -> None:
    for role in ("manager", "", "clerk ", 5, None):
        response = await post(client, provider.token(role))  # type: ignore[arg-type]
        assert (response.status_code, response.json()["type"]) == (403, "urn:anju:problem:forbidden")


def bad_tokens(provider: FakeProvider) -> dict[str, str | None]:
    now = int(time.time())
    good = provider.token()
    head, body, signature = good.split(".")
    secret = OctKey.import_key("x" * 64, {"kid": "one"})
    claims = {"iss": ISSUER, "aud": "anju", "sub": "s", "anju_role": "clerk", "exp": now + 60}
    return {
        "none": None,
        "empty": "",
        "nonsense": "nonsense",
        "three empty parts": "..",
        "too long": "a" * 9000,
        "ended": provider.token(exp=now - 60),
        "no end": provider.token(exp=None),
        "not yet": provider.token(nbf=now + 600),
        "another issuer": provider.token(iss="http://other.test"),
        "another audience": provider.token(aud=["other"]),
        "no audience": provider.token(aud=None),
        "no subject": provider.token(sub=None),
        "subject of another type": provider.token(sub=["a"]),
        "endless": provider.token(exp="never"),
        "changed": f"{head}.{body}.{signature[:-4]}AAAA",
        "unsigned": f"{head}.{body}.",
        "signed by a secret": jwt.encode({"alg": "HS256", "kid": "one"}, claims, secret, algorithms=["HS256"]),
        "signed by another key": provider.token(key=OKPKey.generate_key("Ed25519", {"kid": "one"})),
        "unknown key": provider.token(key=OKPKey.generate_key("Ed25519", {"kid": "two"})),
    }


async def test_every_other_token_is_401(client: httpx.AsyncClient, provider: FakeProvider) -> None:
    for name, token in bad_tokens(provider).items():
        response = await post(client, token)
        assert response.status_code == 401, name
        assert response.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("value", [b"Basic YTpi", b"Bearer", b"bearer  ", b"\xff\xfe", b"Bearer \xff"])
async def test_other_credentials_are_401(client: httpx.AsyncClient, value: bytes) -> None:
    response = await client.post("/api/v1/things", json={"name": "a"}, headers={b"authorization": value})
    assert response.status_code == 401


async def test_two_tokens_are_none(client: httpx.AsyncClient, provider: FakeProvider) -> None:
    two = [(b"authorization", f"Bearer {provider.token()}".encode())] * 2
    response = await client.post("/api/v1/things", json={"name": "a"}, headers=two)
    assert response.status_code == 401


async def test_keys_are_asked_for_once(client: httpx.AsyncClient, provider: FakeProvider) -> None:
    for _each in range(3):
        await post(client, provider.token())
    assert provider.asked == ["/.well-known/openid-configuration", "/jwks.json"]


async def test_a_new_key_is_learnt_and_invented_ones_are_no_load(
    client: httpx.AsyncClient, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    await post(client, provider.token())
    monkeypatch.setattr(oidc, "RETRY_SECONDS", 0.0)
    provider.key = OKPKey.generate_key("Ed25519", {"kid": "new"})
    assert (await post(client, provider.token())).status_code == 200
    monkeypatch.setattr(oidc, "RETRY_SECONDS", 60.0)
    asked = len(provider.asked)
    stranger = OKPKey.generate_key("Ed25519", {"kid": "invented"})
    for _each in range(5):
        assert (await post(client, provider.token(key=stranger))).status_code == 401
    assert len(provider.asked) == asked


async def test_an_unreachable_provider_is_503_not_401(
    client: httpx.AsyncClient, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.reachable = False
    response = await post(client, provider.token())
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert response.json()["type"] == "urn:anju:problem:identity-provider-unavailable"
    provider.reachable = True
    assert (await post(client, provider.token())).status_code == 200
    provider.reachable = False
    assert (await post(client, provider.token())).status_code == 200  # known keys go on counting
    monkeypatch.setattr(oidc, "RETRY_SECONDS", 0.0)
    stranger = OKPKey.generate_key("Ed25519", {"kid": "perhaps new"})
    assert (await post(client, provider.token(key=stranger))).status_code == 503


async def test_purpose_and_case(clerk: httpx.AsyncClient) -> None:
    answered = await clerk.get(THING, headers=WHY)
    assert answered.json()["purpose"] == "registration_service"
    for headers in (
        {},
        {"anju-purpose": "registration_service"},
        {"anju-case": "C-1"},
        WHY | {"anju-case": ""},
        WHY | {"anju-case": "a b"},
        WHY | {"anju-case": "x" * 65},
        WHY | {"anju-purpose": "Registration Service"},
    ):
        response = await clerk.get(THING, headers=headers)
        assert (response.status_code, response.json()["type"]) == (400, "urn:anju:problem:purpose-required"), headers
    other = await clerk.get(THING, headers=WHY | {"anju-purpose": "curiosity"})
    assert other.status_code == 403


def test_areas_are_prefixes() -> None:
    assert within(["330199001"], "330199001002")
    assert not within(["330199001"], "330199002")
    assert not within(["330199001"], "330199")
    assert not within(["", "330199002"], "330199001")


async def log_in(client: httpx.AsyncClient, provider: FakeProvider, back: str = "/") -> httpx.Response:
    start = await client.get("/login", params={"next": back, "hint": "officer-1"})
    query = httpx.URL(start.headers["location"]).params
    provider.claims = {"nonce": query["nonce"]}
    return await client.get("/callback", params={"code": "c0de", "state": query["state"]})


async def test_log_in_by_code_with_pkce(client: httpx.AsyncClient, provider: FakeProvider) -> None:
    import base64
    import hashlib

    start = await client.get("/login?next=/alerts&hint=officer-1")
    address = httpx.URL(start.headers["location"])
    asked = dict(address.params)
    assert (start.status_code, address.path) == (303, "/authorize")
    assert (asked["response_type"], asked["code_challenge_method"], asked["login_hint"]) == (
        "code",
        "S256",
        "officer-1",
    )
    assert asked["redirect_uri"] == f"{ORIGIN}/callback"
    provider.claims = {"nonce": asked["nonce"]}
    done = await client.get("/callback", params={"code": "c0de", "state": asked["state"]})
    assert (done.status_code, done.headers["location"]) == (303, "/alerts")
    challenge = hashlib.sha256(provider.code_seen["code_verifier"].encode()).digest()
    assert base64.urlsafe_b64encode(challenge).decode().rstrip("=") == asked["code_challenge"]
    cookie = next(each for each in done.headers.get_list("set-cookie") if each.startswith("anju_demo_8199="))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Li Hua" not in cookie
    page = await client.get("/", headers=PAGE)
    assert page.status_code == 200


async def test_a_page_sends_to_log_in_and_comes_back(client: httpx.AsyncClient) -> None:
    response = await client.get("/?state=new", headers=PAGE)
    assert (response.status_code, response.headers["location"]) == (303, "/login?next=/%3Fstate%3Dnew")
    fragment = await client.get("/", headers=PAGE | {"hx-request": "true", "hx-current-url": f"{ORIGIN}/notices?a=1"})
    assert (fragment.status_code, fragment.headers["hx-redirect"]) == (401, "/login?next=/notices%3Fa%3D1")


async def test_an_answer_that_fits_no_log_in_is_refused(client: httpx.AsyncClient, provider: FakeProvider) -> None:
    start = await client.get("/login")
    state = httpx.URL(start.headers["location"]).params["state"]
    for query in ({}, {"state": state}, {"code": "c", "state": "other"}, {"error": "access_denied", "state": state}):
        assert (await client.get("/callback", params=query, headers=PAGE)).status_code == 400
    provider.claims = {"nonce": "of another log-in"}
    assert (await client.get("/callback", params={"code": "c", "state": state}, headers=PAGE)).status_code == 400
    provider.reachable = False
    assert (await client.get("/callback", params={"code": "c", "state": state}, headers=PAGE)).status_code == 503


@pytest.mark.parametrize("path", ["//evil.test", "https://evil.test", "/\\evil.test", "", "/a\nb", "evil"])
def test_log_in_ends_at_no_other_site(path: str) -> None:
    assert local_path(path) == "/"


async def test_what_another_site_sends_is_not_done(client: httpx.AsyncClient, provider: FakeProvider) -> None:
    await log_in(client, provider)
    for headers, status in (
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"origin": ORIGIN}, 200),
        ({}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site", "origin": ORIGIN}, 403),
        ({"origin": "http://evil.test"}, 403),
        ({"origin": "null"}, 403),
    ):
        assert (await client.post("/act", headers=headers)).status_code == status, headers


async def test_a_session_of_another_city_or_secret_does_not_open(
    client: httpx.AsyncClient, provider: FakeProvider, build: Callable[..., WebParts]
) -> None:
    await log_in(client, provider)
    import base64

    other = build(session_secret=base64.b64encode(b"t" * 32).decode())
    async with client_of(other) as stranger:
        stranger.cookies = client.cookies
        assert (await stranger.get("/", headers=PAGE)).status_code == 303


async def test_a_changed_or_ended_session_does_not_open(
    client: httpx.AsyncClient, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    await log_in(client, provider)
    value = client.cookies["anju_demo_8199"]
    for changed in (value[:-2] + "AA", value[4:], "", "é", "a" * 5000):
        cookie = f"anju_demo_8199={changed}".encode("latin-1")
        response = await client.get("/", headers=[(b"accept", b"text/html"), (b"cookie", cookie)])
        assert response.status_code == 303
    kept = PAGE | {"cookie": f"anju_demo_8199={value}"}  # as a browser would that forgets no cookie in time
    client.cookies.clear()
    assert (await client.get("/", headers=kept)).status_code == 200
    later = time.time() + 13 * 3600
    monkeypatch.setattr(time, "time", lambda: later)
    assert (await client.get("/", headers=kept)).status_code == 303


async def test_log_out_ends_the_session_here_and_there(client: httpx.AsyncClient, provider: FakeProvider) -> None:
    await log_in(client, provider)
    assert (await client.post("/logout", headers={"sec-fetch-site": "cross-site"})).status_code == 403
    assert (await client.get("/", headers=PAGE)).status_code == 200
    response = await client.post("/logout", headers={"sec-fetch-site": "same-origin"})
    assert response.status_code == 303
    assert response.headers["location"].startswith(f"{ISSUER}/logout?client_id=demo")
    assert (await client.get("/", headers=PAGE)).status_code == 303
    assert (await client.get("/signed-out", headers=PAGE)).status_code == 200


async def test_a_page_refused_says_so_as_a_page(client: httpx.AsyncClient, provider: FakeProvider) -> None:
    await log_in(client, provider)
    missing = await client.get("/nothing-here", headers=PAGE)
    assert (missing.status_code, missing.headers["content-type"]) == (404, "text/html; charset=utf-8")


async def test_the_callers_own_token_is_at_hand(
    client: httpx.AsyncClient, provider: FakeProvider, parts: WebParts
) -> None:
    await log_in(client, provider)
    request = Request(
        {"type": "http", "headers": [(b"cookie", f"anju_demo_8199={client.cookies['anju_demo_8199']}".encode())]}
    )
    access: Access = parts.app.state.access
    assert access.at_page(request) is not None
    assert request.state.access_token.count(".") == 2
    token = provider.token()
    request = Request({"type": "http", "method": "GET", "headers": [(b"authorization", f"Bearer {token}".encode())]})
    await access.caller(request)
    assert request.state.access_token == token


@pytest.mark.parametrize(
    ("role", "client", "subject"),
    [("service", "alerts", "alerts"), ("service", None, "b1c0"), ("clerk", "alerts", "b1c0")],
)
async def test_a_service_is_known_by_its_client(
    parts: WebParts, provider: FakeProvider, role: str, client: str | None, subject: str
) -> None:
    token = provider.token(role, sub="b1c0", client_id=client)
    scope = {"type": "http", "method": "GET", "headers": [(b"authorization", f"Bearer {token}".encode())]}
    assert (await parts.app.state.access.caller(Request(scope))).subject == subject


async def test_service_token_is_kept(parts: WebParts, provider: FakeProvider) -> None:
    service = parts.app.state.oidc
    first = await service.service_token()
    assert await service.service_token() == first
    assert provider.asked.count("/token") == 1
    assert provider.code_seen == {"grant_type": "client_credentials"}
