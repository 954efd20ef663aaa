"""One running engine of every kind for all tests: a real model takes seconds to load."""

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from antiphon.ports.engine import Engine
from tests.engines.implementations import IMPLEMENTATIONS, SMALL_WINDOW, WINDOW


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=IMPLEMENTATIONS)
async def engine(request: pytest.FixtureRequest) -> AsyncGenerator[Engine]:
    """A started engine, shared: leave it as you found it."""
    made = IMPLEMENTATIONS[request.param](WINDOW)
    await made.start()
    yield made
    await made.aclose()


@pytest_asyncio.fixture(loop_scope="session", params=IMPLEMENTATIONS)
async def fresh(request: pytest.FixtureRequest) -> AsyncGenerator[Engine]:
    """An engine of the test's own, with a small window; not started."""
    made = IMPLEMENTATIONS[request.param](SMALL_WINDOW)
    yield made
    await made.aclose()


@pytest.fixture(scope="session")
def patience() -> float:
    """Seconds after which a test stops to wait for what should long have happened."""
    return 30.0
