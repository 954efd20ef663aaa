"""`GET /health`: how it stands for everybody, and why for those who may use the models."""

from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from antiphon.ports.engine import EngineHealth
from antiphon.testing import Bridge, engine_app
from tests.service.engines import PlannedEngine

FAULT = "http://10.0.0.5:8000: connection refused"
NO_KEY = {"x-api-key": None}


class SickEngine(PlannedEngine):
    """An engine that cannot answer."""

    async def health(self) -> EngineHealth:
        """Why not."""
        return EngineHealth(False, FAULT)


def seen_from(bridge: Bridge, host: str) -> Bridge:
    """A client elsewhere."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await bridge.app({**scope, "client": (host, 1)}, receive, send)

    return Bridge(app)


@pytest.mark.promise("health.truthful", "health.private")
@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({"x-api-key": "good"}, True),
        ({**NO_KEY, "authorization": "Bearer good"}, True),
        ({"x-api-key": "bad"}, False),
        (NO_KEY, False),
    ],
    ids=["key", "bearer", "wrong key", "no key"],
)
async def test_with_keys_only_who_has_one_is_told_what_is_wrong(headers: dict[str, str | None], told: bool) -> None:
    async with engine_app(SickEngine([]), api_keys=("good",)) as bridge:
        health = await bridge.ask("GET", "/health", headers=headers)
    wrong: dict[str, Any] = {"models": {"planned": FAULT}} if told else {}
    assert (health.status, health.json) == (503, {"status": "unavailable", **wrong})


@pytest.mark.promise("health.private")
@pytest.mark.parametrize(
    ("host", "told"),
    [("127.0.0.1", True), ("::1", True), ("::ffff:127.0.0.1", True), ("192.0.2.7", False), ("2001:db8::1", False)],
)
async def test_without_keys_only_who_is_on_this_machine_is_told_what_is_wrong(host: str, told: bool) -> None:
    async with engine_app(SickEngine([])) as bridge:
        health = await seen_from(bridge, host).ask("GET", "/health")
    assert (health.status, "models" in health.json) == (503, told)


@pytest.mark.promise("pool.draining")
async def test_how_each_engine_of_a_pool_stands_is_shown_to_who_may_know_it() -> None:
    class Pool(PlannedEngine):
        async def health(self) -> EngineHealth:
            return EngineHealth(True, "", {"http://a": "in service", "http://b": "drained"})

    async with engine_app(Pool([]), api_keys=("good",)) as bridge:
        known = await bridge.ask("GET", "/health", headers={"x-api-key": "good"})
        anybody = await bridge.ask("GET", "/health", headers=NO_KEY)
    assert known.json["engines"] == {"planned": {"http://a": "in service", "http://b": "drained"}}
    assert anybody.json == {"status": "ok"}


@pytest.mark.promise("health.truthful")
async def test_what_is_well_is_said_to_everybody() -> None:
    async with engine_app(PlannedEngine([]), api_keys=("good",)) as bridge:
        anybody = await bridge.ask("GET", "/health", headers=NO_KEY)
        known = await bridge.ask("GET", "/health", headers={"x-api-key": "good"})
    assert (anybody.status, anybody.json) == (200, {"status": "ok"})
    assert (known.status, known.json) == (200, {"status": "ok", "models": {"planned": "ready"}})
