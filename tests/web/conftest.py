"""The whole app over a scripted engine, in this process."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from antiphon.compose.models import load_catalogue
from antiphon.compose.services import services_for
from antiphon.config import ModelSettings, Settings
from antiphon.engines.scripted import ScriptedEngine
from antiphon.seals import Seals
from antiphon.service.media.intake import MediaIntake
from antiphon.service.served import ModelRoutes, ServedModel
from antiphon.web.app import build_app
from antiphon.web.door import Door, Threshold
from tests.service.media.doubles import intake
from tests.web.bridge import Bridge

SCRIPT = """
[[reply]]
match = "^hello$"
text = "Hello there!"

[[reply]]
text = "You said something."
"""

SEALS = Seals([bytes(range(32))])

Starter = Callable[..., Awaitable[Bridge]]


class FixedClock:
    """Always the same second."""

    def now(self) -> float:
        return 1_770_000_000.0


class CountingEntropy:
    """Dice that count up."""

    def __init__(self) -> None:
        self._count = 0

    def bytes(self, count: int) -> bytes:
        self._count += 1
        return self._count.to_bytes(count, "big")


@pytest.fixture
async def start() -> AsyncGenerator[Starter]:
    """Start an app on a script, with settings; the engine is closed after the test."""
    async with AsyncExitStack() as stack:

        async def starter(script: str = SCRIPT, media: MediaIntake | None = None, **options: object) -> Bridge:
            engine = ScriptedEngine("scripted", script)
            await engine.start()
            stack.push_async_callback(engine.aclose)
            models = {"scripted": ModelSettings("scripted", "script:test")}
            settings = Settings(default_model="scripted", models=models, **options)  # type: ignore[arg-type]
            served = {"scripted": ServedModel.of(engine)}
            card = engine.card
            catalogue = load_catalogue(settings).with_local(card.id, card.name, card.window, "2026-01-01T00:00:00Z")
            routes = ModelRoutes(catalogue, served, "scripted", settings.routes)
            door = Door(CountingEntropy(), Threshold.of(settings, SEALS.name))
            services = services_for(settings, routes, FixedClock(), CountingEntropy(), SEALS, media or intake())
            door.open(build_app(settings, services))
            return Bridge(door)

        yield starter


@pytest.fixture
async def bridge(start: Starter) -> Bridge:
    """An app on the plain script."""
    return await start()
