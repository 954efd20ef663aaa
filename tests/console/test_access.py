"""Whom the console works for: keyboards, readers of screens, light and dark, narrow and wide."""

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from antiphon.config import StoreSettings
from tests.console.browser import MODEL, TOOLS, Chromium, Console, console_of, explain_with
from tests.console.test_views import EXPLAINED, make_batch

pytestmark = pytest.mark.asyncio(loop_scope="session")

VIEWS = ("Playground", "Explain", "Models", "Cache", "Batches", "Files", "Traffic")
NAMELESS = """() => [...document.querySelectorAll("input, select, textarea, button, a, summary, img, svg, progress, [tabindex='0']")]
    .filter((each) => each.checkVisibility())
    .filter((each) => !(each.ariaLabel || each.labels?.length || each.textContent.trim() || each.getAttribute("alt") !== null))
    .map((each) => each.outerHTML.slice(0, 200))"""
FAINT = """() => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const rgba = (color) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const light = ([r, g, b]) => [r, g, b]
        .map((part) => part / 255)
        .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
        .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
    const behind = (each) => {
        for (let at = each; at; at = at.parentElement) {
            const color = rgba(getComputedStyle(at).backgroundColor);
            if (color[3] === 255) return color;
        }
        return rgba(getComputedStyle(document.body).backgroundColor);
    };
    const found = [];
    let seen = 0;
    for (const each of document.querySelectorAll("body *")) {
        const says = [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
        if (!says || !each.checkVisibility() || each.matches(":disabled, .unseen, noscript, option")) continue;
        const style = getComputedStyle(each);
        const [front, back] = [light(rgba(each.closest("svg") ? style.fill : style.color)), light(behind(each))];
        const ratio = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
        seen += 1;
        if (ratio < 4.5) found.push(`${each.tagName}.${each.className} ${each.textContent.slice(0, 40)}: ${ratio.toFixed(2)}`);
    }
    return [seen, found];
}"""


async def filled(console: Console) -> None:
    """Let each view have something to show."""
    await explain_with(console.page, EXPLAINED)
    await make_batch(console.bridge, "Hi")
    await console.page.evaluate("document.getElementById('settings-fold').open = true")
    await console["model"].select_option(MODEL)
    await console["thinking"].select_option("enabled")
    await console["max-tokens"].fill("3000")
    await console.say("code")
    await console["tools"].fill(str(TOOLS).replace("'", '"'))
    await console.say("What is the weather?")
    await console.page.locator("summary", has_text="Thinking").first.click()


async def shown(console: Console, view: str) -> None:
    """Go to a view, and wait until it has all that it shows."""
    await console.go(view)
    page = console.page
    if view == "Explain":
        await console.press("Explain the request")
        await expect(page.get_by_role("region", name="Tokens of each block")).to_be_visible()
    elif view == "Batches":
        await expect(console["batch-list"].get_by_role("listitem")).to_have_count(1)
    elif view == "Files":
        await console["upload-file"].set_input_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b"text"})
        await console.press("Upload")
        await expect(page.get_by_role("region", name="Files that are kept")).to_be_visible()
    elif view != "Playground":
        await expect(page.get_by_role("main").get_by_role("table").first).to_be_visible()


@pytest.mark.promise("console.accessible")
@pytest.mark.parametrize(("dark", "width"), [(False, 360), (True, 1600)], ids=["light and narrow", "dark and wide"])
async def test_every_view_fits_has_contrast_and_names_what_can_be_used(
    browser: Chromium, tmp_path: Path, dark: bool, width: int
) -> None:
    stores = StoreSettings(data=str(tmp_path))
    async with console_of(browser, dark=dark, width=width, stores=stores) as console:
        await filled(console)
        for view in VIEWS[1:] + VIEWS[:1]:
            await shown(console, view)
            seen, faint = await console.page.evaluate(FAINT)
            assert seen > 15
            assert faint == [], view
            assert await console.page.evaluate(NAMELESS) == [], view
            assert await console.page.evaluate("document.documentElement.scrollWidth") <= width, view
            assert await console.page.title() == f"{view} · Antiphon"
        ids = await console.page.evaluate("[...document.querySelectorAll('[id]')].map((each) => each.id)")
        assert len(ids) == len(set(ids)) > 50


async def focus(page: Page) -> str:
    return await page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()")


@pytest.mark.promise("console.accessible")
async def test_a_keyboard_is_enough(browser: Chromium) -> None:
    async with console_of(browser) as console:
        page = console.page
        order: list[str] = []
        for _ in range(12):
            await page.keyboard.press("Tab")
            order.append(await focus(page))
        assert order == ["Skip to the content", *VIEWS, "open-keys", "Settings", "model", "system"]
        outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"
        await console["message"].focus()
        await page.keyboard.type("slowly")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(console["stop"]).to_be_focused()
        await expect(console["turns"]).to_contain_text("One.")
        await page.keyboard.press("Enter")
        await expect(console["message"]).to_be_focused()
        await console["open-keys"].focus()
        await page.keyboard.press("Enter")
        await expect(console["key-api"]).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(console["open-keys"]).to_be_focused()
        await page.get_by_role("link", name="Files").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="Files", level=2)).to_be_focused()
