"""`/livez` and `/readyz`: yes or no, for everybody, and truly."""

import asyncio
import os
import signal

import pytest

from antiphon.config import Settings
from antiphon.ports.engine import EngineHealth
from antiphon.ports.stores import StoreError
from antiphon.service.models import ModelService
from antiphon.service.readiness import Readiness
from antiphon.testing import Bridge, CountingEntropy, engine_app
from antiphon.testing.app import SEALS
from antiphon.web.door import Door, Threshold
from tests.service.engines import PlannedEngine
from tests.web.http.sockets import WAIT, listening, request

NO_KEY = {"x-api-key": None}


class SickEngine(PlannedEngine):
    """An engine that cannot answer."""

    async def health(self) -> EngineHealth:
        """Why not."""
        return EngineHealth(False, "http://10.0.0.5:8000: connection refused")


class Models(ModelService):
    """Two models, of which one is well or none."""

    def __init__(self, *, well: bool) -> None:
        self._well = well

    async def health(self) -> dict[str, EngineHealth]:
        """How they are."""
        return {"a": EngineHealth(False, "gone"), "b": EngineHealth(self._well, "")}


async def asked(bridge: Bridge, path: str) -> tuple[int, str]:
    """What somebody without a key is told."""
    answer = await bridge.ask("GET", path, headers=NO_KEY)
    return answer.status, answer.body.decode()


@pytest.mark.promise("health.probes")
async def test_while_models_load_the_process_lives_and_is_not_ready() -> None:
    bridge = Bridge(Door(CountingEntropy(), Threshold.of(Settings(), SEALS.name)))
    assert await asked(bridge, "/livez") == (200, "ok\n")
    assert await asked(bridge, "/readyz") == (503, "unavailable\n")


@pytest.mark.promise("health.probes")
async def test_without_a_key_it_is_said_that_requests_can_be_answered_and_no_more() -> None:
    async with engine_app(PlannedEngine([]), api_keys=("good",)) as bridge:
        assert await asked(bridge, "/livez") == (200, "ok\n")
        assert await asked(bridge, "/readyz") == (200, "ok\n")


@pytest.mark.promise("health.probes")
async def test_a_lost_engine_is_no_reason_to_start_the_process_again() -> None:
    async with engine_app(SickEngine([]), api_keys=("good",)) as bridge:
        assert await asked(bridge, "/livez") == (200, "ok\n")
        assert await asked(bridge, "/readyz") == (503, "unavailable\n")


@pytest.mark.promise("health.probes")
async def test_who_drains_is_not_ready_and_answers_what_comes() -> None:
    async with engine_app(PlannedEngine([]), api_keys=("good",)) as bridge:
        door = bridge.app
        assert isinstance(door, Door)
        door.drain()
        assert await asked(bridge, "/readyz") == (503, "unavailable\n")
        assert (await bridge.ask("GET", "/v1/models", headers={"x-api-key": "good"})).status == 200
        assert await asked(bridge, "/livez") == (200, "ok\n")


@pytest.mark.promise("health.probes")
@pytest.mark.parametrize("well", [True, False])
async def test_one_model_that_can_answer_is_enough(well: bool) -> None:
    assert await Readiness(Models(well=well)).ready() is well


@pytest.mark.promise("health.probes")
@pytest.mark.parametrize("problem", [StoreError("gone"), TimeoutError()])
async def test_a_database_that_does_not_answer_makes_it_unready_and_is_not_kept_busy(problem: Exception) -> None:
    asked: list[None] = []

    async def ping() -> None:
        asked.append(None)
        raise problem

    readiness = Readiness(Models(well=True), ping)
    assert await asyncio.gather(*(readiness.ready() for _ in range(5))) == [False] * 5
    assert len(asked) == 1


@pytest.mark.promise("health.probes")
async def test_a_database_that_answers_is_ready() -> None:
    async def ping() -> None:
        pass

    assert await Readiness(Models(well=True), ping).ready()


@pytest.mark.promise("health.probes")
async def test_the_signal_to_stop_makes_it_unready_at_once_on_connections_that_are_open() -> None:
    async with listening() as server, server.connect() as connection:
        probe = request(method="GET", path="/readyz")
        connection.send(probe)
        assert (await connection.reply()).status == 200
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(WAIT):
            while not server.door.draining:  # noqa: ASYNC110
                await asyncio.sleep(0)  # the loop's turn in which it hears of the signal
        connection.send(probe)
        # Where this process was slow, the connection is closed by now, as idle ones are at a stop.
        assert (await connection.rest())[:13] in (b"HTTP/1.1 503 ", b"")
