"""The whole app over a scripted engine, in this process."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from antiphon.engines.scripted import ScriptedEngine
from antiphon.service.media.intake import MediaIntake
from antiphon.testing import Bridge, engine_app
from antiphon.testing.app import MODEL
from tests.service.media.doubles import intake

SCRIPT = """
[[reply]]
match = "^hello$"
text = "Hello there!"

[[reply]]
text = "You said something."
"""

Starter = Callable[..., Awaitable[Bridge]]


@pytest.fixture
async def start() -> AsyncGenerator[Starter]:
    """Start an app on a script, with settings; the engine is closed after the test."""
    async with AsyncExitStack() as stack:

        async def starter(script: str = SCRIPT, media: MediaIntake | None = None, **options: Any) -> Bridge:
            engine = ScriptedEngine(MODEL, script)
            return await stack.enter_async_context(engine_app(engine, media=media or intake(), **options))

        yield starter


@pytest.fixture
async def bridge(start: Starter) -> Bridge:
    """An app on the plain script."""
    return await start()
