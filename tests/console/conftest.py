"""One browser for all tests of the console."""

from collections.abc import AsyncGenerator

import pytest_asyncio

from tests.console.browser import Chromium, chromium


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncGenerator[Chromium]:
    """A browser; its tests run in the loop of the session."""
    async with chromium() as started:
        yield started
