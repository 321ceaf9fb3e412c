"""Takes the README's pictures from a running demo city: `python -m tests.browser.readme_pictures [--data-dir .demo]`.

Whoever is on them is of the city's seeded generator. The clerk's page shows the portal's invented test guest.
"""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, async_playwright

from anju.city import guest
from anju.local.status import of_city
from tests.browser.conftest import BUILD, FLAGS, PATIENCE_MS, ROOT
from tests.browser.small_png import shrink

PICTURES = ROOT / "docs" / "pictures"
# The screen that the mocks were drawn for (look.md).
VIEWPORT = {"width": 1440, "height": 900}
# A repository keeps every version of a picture for ever.
LARGEST_BYTES = 200_000


async def start(page: Page) -> None:
    """The start page, with its figures."""
    await page.locator(".flowing").wait_for()


async def command_centre(page: Page) -> None:
    """The board with the newest alert opened."""
    await page.locator('[data-role="duty_officer"]').first.click()
    await page.locator("#board-list .row-link").first.click()
    await page.locator("#board-detail .hist").wait_for()


async def clerk(page: Page) -> None:
    """The clerk's form while a guest is typed; nothing is sent."""
    await page.locator('[data-role="clerk"]').first.click()
    person = guest.person()
    await page.fill('[name="person.document.number"]', person["document"]["number"])
    await page.keyboard.press("Enter")
    born = person["birth_date"].replace("-", "")
    await page.wait_for_function(
        "born => document.querySelector('[name=\"person.birth_date\"]').value == born", arg=born
    )
    await page.fill('[name="person.name"]', person["name"])


TAKEN: tuple[tuple[str, str, str, Callable[[Page], Awaitable[None]]], ...] = (
    ("start", "en", "light", start),
    ("command-centre", "zh-CN", "dark", command_centre),
    ("clerk", "zh-CN", "light", clerk),
)


async def take(
    browser: Browser, portal: str, name: str, language: str, theme: str, show: Callable[[Page], Awaitable[None]]
) -> None:
    """Take one picture, and keep it small."""
    context = await browser.new_context(viewport=VIEWPORT, locale=language)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MS)
    chosen: Any = [
        {"name": "anju_lang", "value": language, "url": portal},
        {"name": "anju_theme", "value": theme, "url": portal},
    ]
    await context.add_cookies(chosen)
    page = await context.new_page()
    await page.goto(portal)
    await show(page)
    picture = shrink(await page.screenshot(animations="disabled"))
    await context.close()
    assert len(picture) < LARGEST_BYTES, f"{name}: {len(picture)} bytes"
    (PICTURES / f"{name}.png").write_bytes(picture)
    print(f"{name}.png  {len(picture) // 1000} kB")


async def take_all(data_dir: Path) -> None:
    """Take every picture of the city whose data lies there."""
    city = await of_city(data_dir)
    assert city is not None, f"no city runs in {data_dir}"
    PICTURES.mkdir(exist_ok=True)
    async with async_playwright() as playwright:
        executable = (BUILD / "chromium").read_text().strip()
        browser = await playwright.chromium.launch(executable_path=executable, args=FLAGS)
        for name, language, theme, show in TAKEN:
            await take(browser, city["pages"], name, language, theme, show)
        await browser.close()


if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--data-dir", type=Path, default=Path(".demo"))
    asyncio.run(take_all(words.parse_args().data_dir))
