"""A real browser over the console of an app in this process, and what is found wrong with any page of it."""

import json
import shutil
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from playwright.async_api import Browser, ConsoleMessage, Locator, Page, Request, Route, async_playwright, expect

from antiphon.testing import Bridge, scripted_app
from antiphon.testing.bridge import HEADERS
from antiphon.testing.listening import listening

KEY: Final = HEADERS["x-api-key"]
MODEL: Final = "claude-opus-4-5-20251101"
WAIT: Final = 10_000.0
BEGIN: Final = datetime(2026, 2, 2, tzinfo=UTC)
TOOLS: Final = [
    {"name": "get_weather", "input_schema": {"type": "object", "properties": {"location": {"type": "string"}}}}
]
SCRIPT: Final = r'''
[[reply]]
match = "Sunny"
text = "Take a hat."

[[reply]]
match = "slowly"
chunks = ["One. ", "Two."]
hang = true
after_chunks = 1

[[reply]]
match = "weather"
text = """
<function_calls>
<invoke name="get_weather">
<parameter name="location">Paris</parameter>
</invoke>
</function_calls>"""

[[reply]]
match = "code"
thinking = "They want <b>code</b>."
text = """
Look:

```python
print("<b>bold</b>")
```

<img src=x onerror=alert(1)> is text."""

[[reply]]
match = "break"
text = "The connection to the engine is lost behind this."
fail = "died"
after_chunks = 2

[[reply]]
match = "image"
text = "A picture."

[[reply]]
match = "late"
text = "At last."
hang = true

[[reply]]
text = "Hello there."
'''


@dataclass(frozen=True)
class Chromium:
    """A browser with one tab that tests have after one another, since each of its own takes a second. Each test has
    an address, and so a storage, of its own."""

    browser: Browser
    tab: Page

    @asynccontextmanager
    async def page(self, *, clock: bool) -> AsyncGenerator[Page]:
        """The tab; with a clock another one, whose time goes on by hand."""
        if not clock:
            yield self.tab
            await self.tab.unroute_all(behavior="ignoreErrors")
            await self.tab.goto("about:blank")
            return
        async with await self.browser.new_context() as context:
            page = await context.new_page()
            await page.clock.install(time=BEGIN)
            yield page


@asynccontextmanager
async def chromium() -> AsyncGenerator[Chromium]:
    """The system's Chromium, without a window."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.fail("there is no chromium: the package chromium has one")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--disable-gpu"])
        try:
            yield Chromium(browser, await browser.new_page())
        finally:
            await browser.close()


@dataclass
class Console:
    """A page of the console. `bridge`: the app itself; `asked`: what the page has sent."""

    page: Page
    bridge: Bridge
    url: str
    asked: list[Request] = field(default_factory=list[Request])

    def __getitem__(self, id_: str) -> Locator:
        return self.page.locator(f"#{id_}")

    async def go(self, view: str) -> None:
        """To a view, by its link."""
        await self.page.get_by_role("navigation").get_by_role("link", name=view, exact=True).click()
        await expect(self.page.get_by_role("heading", name=view, exact=True, level=2)).to_be_focused()

    async def say(self, text: str, *, waits: bool = True) -> None:
        """Write a message and send it."""
        await self["message"].fill(text)
        await self["send"].click()
        if waits:
            await expect(self["stop"]).to_be_disabled()

    async def say_by_api(self, *texts: str) -> None:
        """What others ask meanwhile, each in a stream."""
        for text in texts:
            messages = [{"role": "user", "content": text}]
            await self.bridge.post({"model": MODEL, "max_tokens": 50, "stream": True, "messages": messages})

    async def press(self, name: str) -> None:
        """The button of this name that is seen."""
        await self.page.get_by_role("button", name=name, exact=True).click()

    def sent(self, path: str, method: str = "POST") -> list[Any]:
        """The bodies that the page has sent to a path."""
        found = [each for each in self.asked if each.method == method and each.url == self.url + path]
        return [json.loads(each.post_data or "null") for each in found]


@asynccontextmanager
async def console_of(
    browser: Chromium,
    *,
    width: int = 1280,
    dark: bool = False,
    clock: bool = False,
    start: bool = True,
    **settings: Any,
) -> AsyncGenerator[Console]:
    """The console of a new app, opened. `clock`: the page's time goes on by hand. Behind the block the page must have
    asked nobody else, and the browser must have had nothing to complain about."""
    wrong: list[str] = []
    app = scripted_app(SCRIPT, **settings)
    async with app as bridge, listening(bridge.app) as url, browser.page(clock=clock) as page:
        console = Console(page, bridge, url)
        page.set_default_timeout(WAIT)
        await page.set_viewport_size({"width": width, "height": 800})
        await page.emulate_media(color_scheme="dark" if dark else "light")
        listeners: dict[str, Callable[[Any], None]] = {
            "pageerror": lambda problem: wrong.append(str(problem)),
            "console": lambda message: wrong.extend(complaints(message)),
            "request": lambda request: console.asked.append(request),
        }
        for event, listener in listeners.items():
            page.on(event, listener)  # pyright: ignore[reportCallIssue, reportArgumentType] - one overload an event
        try:
            await page.goto(f"{url}/console")
            if clock:
                await page.clock.pause_at(BEGIN + timedelta(hours=1))
            if start:
                await expect(console["model"].locator("option")).not_to_have_count(0)
            yield console
        finally:
            for event, listener in listeners.items():
                page.remove_listener(event, listener)
    assert wrong == []
    assert [each.url for each in console.asked if not each.url.startswith((url, "data:", "blob:"))] == []


def complaints(message: ConsoleMessage) -> Sequence[str]:
    """What the browser complains about, but for statuses of replies, which are what a test looks at."""
    bad = message.type in ("error", "warning") and "Failed to load resource" not in message.text
    return [message.text] if bad else []


async def explain_with(page: Page, answer: object) -> list[Any]:
    """Let requests to be explained have this answer. Returns what they ask, as it comes."""
    asked: list[Any] = []

    async def take(route: Route) -> None:
        if await route.request.header_value("antiphon-debug") != "explain":
            await route.continue_()
            return
        asked.append(json.loads(route.request.post_data or "null"))
        await route.fulfill(json=answer)

    await page.route("**/v1/messages", take)
    return asked
