"""The manager's figures: tables, the chart drawn from the table beside it, exports, a wrong question."""

from typing import Any

from tests.browser.conftest import AsRole, Axe, Picture, asset


async def test_figures_and_their_chart(as_role: AsRole, axe: Axe, picture: Picture) -> None:
    page = await as_role("manager")
    await page.wait_for_selector("[data-chart] svg")
    rows = await page.locator("#course-table tbody tr").count()
    assert rows == 14
    await axe(page)
    await picture(page, "reporting")
    assert "数据到" in await page.inner_text(".data-time")
    # The newest day on top of the table is the last point of the line.
    assert await page.inner_text("#course-table tbody th") == await page.input_value("#on")
    await page.fill("#division", "12")
    await page.click("button.btn-primary")
    await page.wait_for_selector(".error-summary")
    assert await page.input_value("#division") == "12"
    await axe(page)
    await page.fill("#division", "柳堤街道")
    await page.click("button.btn-primary")
    await page.wait_for_selector("text=柳堤街道 330199001，")
    await axe(page)


async def test_a_chart_of_suppressed_figures_says_so_and_colours_follow_the_theme(
    as_role: AsRole, axe: Axe, picture: Picture
) -> None:
    page = await as_role("manager", language="en", width=390, height=844)
    await page.wait_for_load_state()  # the charts' script comes after the table
    hide = """() => document.querySelectorAll('#course-table td').forEach(cell => {
        cell.innerHTML = '<span class="supp">suppressed</span>'; })"""
    source = asset("reporting.js").read_text()
    await page.evaluate("() => document.querySelectorAll('[data-chart]').forEach(each => echarts.dispose(each))")
    await page.evaluate(hide)
    await page.evaluate(source)
    place = page.locator(".chart-place", has=page.locator("[data-chart=course]"))
    assert await place.locator("[data-nothing]").is_visible()
    assert await place.locator("[data-chart]").is_hidden()
    await page.emulate_media(reduced_motion="reduce")
    await page.evaluate("() => { document.documentElement.dataset.bsTheme = 'dark'; }")
    await axe(page)
    await picture(page, "reporting-suppressed")


async def test_a_file_of_the_figures(as_role: Any) -> None:
    page = await as_role("manager", language="en")
    async with page.expect_download() as download:
        await page.click("text=XLSX")
    assert (await download.value).suggested_filename.endswith(".xlsx")


async def test_the_pages_of_a_period(as_role: AsRole, axe: Axe, picture: Picture) -> None:
    page = await as_role("manager")
    for section, name in (("检查与隐患", "reporting-housing"), ("警情", "reporting-alerts")):
        await page.click(f"text={section}")
        await page.wait_for_selector("[data-chart] svg, .nothing")
        await axe(page)
        await picture(page, name)
    await page.fill("#from", "2999-01-01")
    await page.click("button.btn-primary")
    await page.wait_for_selector(".error-summary")
    assert await page.input_value("#from") == "2999-01-01"
    await axe(page)
