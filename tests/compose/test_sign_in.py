"""People log in through a real Keycloak with the realm of deploy/keycloak: pages by role, tokens, and services' own.

Makes Keycloak the provider of registration and alerts, as a site does; runs after what logs in at the portal.
"""

import asyncio
import re
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.compose.city import ContainerCity
from tests.compose.desks import ContainerDesks, LoopbackTransport
from tests.compose.keycloak import Keycloak
from tests.people import People
from tests.waiting import until

pytestmark = [pytest.mark.compose, pytest.mark.timeout(600)]

WEB = ("registration-web", "alerts-web")
SECURE = re.compile(rb";\s*Secure\b", re.IGNORECASE)
_PEOPLE = People(seed=20)
OFFICER, CLERK, LOCKED_OUT, AUTHOR = (_PEOPLE.person()["name"] for _ in range(4))


@pytest.fixture(scope="module")
async def keycloak(city: ContainerCity, desks: ContainerDesks, http: httpx.AsyncClient) -> Keycloak:
    """Keycloak, ready, and the two services with it as their provider."""
    found = Keycloak(city.settings["KEYCLOAK_URL"], city.settings["KEYCLOAK_PASSWORD"])
    await until(lambda: found.is_ready(http), 240)
    city.settings.update(OIDC_ISSUER=found.issuer, ANJU_ENVIRONMENT="production")
    await asyncio.to_thread(city.compose, "up", "--detach", "--no-build", "--no-deps", *WEB)
    for service in WEB:
        await until(lambda service=service: city.health(service) == "healthy", 120)  # type: ignore[misc]
    return found


class BrowsersTransport(LoopbackTransport):
    """Takes `Secure` cookies without TLS too: names below localhost are a secure place to a browser."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer without the attribute."""
        answer = await super().handle_async_request(request)
        answer.headers = httpx.Headers(
            [
                (name, SECURE.sub(b"", value) if name.lower() == b"set-cookie" else value)
                for name, value in answer.headers.raw
            ]
        )
        return answer


@pytest.fixture
async def browser() -> AsyncIterator[httpx.AsyncClient]:
    """A browser that nobody has logged in with."""
    async with httpx.AsyncClient(timeout=30.0, transport=BrowsersTransport()) as client:
        yield client


async def test_an_officer_reaches_the_board(
    keycloak: Keycloak, city: ContainerCity, browser: httpx.AsyncClient
) -> None:
    officer = await keycloak.add(browser, "officer-1", OFFICER, "duty_officer", "command-centre")
    address = city.settings["ALERTS_URL"]
    page = await keycloak.log_in(browser, f"{address}/login?next=/", officer)
    assert (page.status_code, str(page.url)) == (200, f"{address}/"), page.text
    assert OFFICER in page.text


async def test_a_role_that_may_not_is_told_so(
    keycloak: Keycloak, city: ContainerCity, browser: httpx.AsyncClient
) -> None:
    clerk = await keycloak.add(browser, "clerk-1", CLERK, "clerk", "station-01")
    page = await keycloak.log_in(browser, f"{city.settings['ALERTS_URL']}/login?next=/", clerk)
    assert page.status_code == 403, page.text
    page = await browser.get(f"{city.settings['REGISTRATION_URL']}/login?next=/", follow_redirects=True)
    assert page.status_code == 200, "one log-in at Keycloak serves every service"
    assert CLERK in page.text


async def test_a_wrong_password_is_refused(keycloak: Keycloak, city: ContainerCity, browser: httpx.AsyncClient) -> None:
    person = await keycloak.add(browser, "officer-2", LOCKED_OUT, "duty_officer", "command-centre")
    wrong = type(person)(person.username, person.name, "not the password")
    page = await keycloak.log_in(browser, f"{city.settings['ALERTS_URL']}/login?next=/", wrong)
    assert str(page.url).startswith(keycloak.address)
    assert LOCKED_OUT not in page.text


async def test_a_service_asks_another_by_its_own_token(
    keycloak: Keycloak, city: ContainerCity, desks: ContainerDesks, http: httpx.AsyncClient, browser: httpx.AsyncClient
) -> None:
    author = await keycloak.add(browser, "author-1", AUTHOR, "notice_author", "notice-desk-01")
    address, secret = city.settings["ALERTS_URL"], city.settings["ALERTS_CLIENT_SECRET"]
    token = await keycloak.token(browser, "alerts", secret, f"{address}/callback", author)
    # Alerts asks registration for the document's token as itself (client credentials).
    proposed = await desks.at({"notice_author": token}).propose(http, People(seed=1).person()["document"])
    assert proposed["notice_id"]
