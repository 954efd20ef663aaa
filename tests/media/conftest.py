"""A reader per test; everything that it started is gone after it."""

from collections.abc import AsyncGenerator

import pytest

from antiphon.media.reader import Reader


@pytest.fixture
async def reader() -> AsyncGenerator[Reader]:
    made = Reader()
    yield made
    await made.aclose()
