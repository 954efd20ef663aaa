"""A Python that goes on is found by all processes of a machine; two of them are played here, with real sandboxes."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from antiphon.config import SandboxSettings
from antiphon.ports.sandbox import Limits, Sandbox, SandboxDriver
from antiphon.ports.server_tools import ServerCall, ServerResult, ToolProblem, Waits
from antiphon.sandbox.choosing import choose
from antiphon.tools.code.lending import borrow
from antiphon.tools.code.python import Python

LIMITS = Limits(memory=256 << 20, processes=64, disk=16 << 20, files=1000, file_size=16 << 20)
LOOP = "for n in range(3):\n    x = await look({'n': n})\n    print(x)"


@dataclass
class Worker:
    """What one process has: its driver, and its tool."""

    driver: SandboxDriver
    meeting: str
    python: Python
    id: str = "container_1"
    folders: frozenset[str] = frozenset()

    async def enter(self) -> Sandbox:
        return await self.driver.open(self.id, LIMITS)

    async def stay(self) -> None: ...

    async def leave(self) -> None: ...

    async def keep_file(self, sandbox: Sandbox, path: str, name: str) -> str | None: ...

    async def told(self) -> Mapping[str, Any] | None: ...

    async def does(self, call: ServerCall) -> ServerResult | Waits:
        async with asyncio.timeout(30):
            return await self.python.run(replace(call, container=self))

    async def prints(self, call: ServerCall) -> str:
        result = await self.does(call)
        assert isinstance(result, ServerResult)
        return result.content["stdout"] + result.content["stderr"]


@asynccontextmanager
async def workers(folder: Path) -> AsyncGenerator[tuple[Worker, Worker]]:
    made: list[Worker] = []
    for _ in range(2):
        driver, tried = await choose(SandboxSettings(driver="bubblewrap"), folder / "boxes", None)
        assert driver is not None, tried
        made.append(Worker(driver, str(folder / ("deep" * 30) / "meeting"), Python()))
    Path(made[0].meeting).parent.mkdir()
    try:
        yield made[0], made[1]
    finally:
        for one in made:
            await one.python.aclose()
            await one.driver.aclose()


def call(id_: str, code: str) -> ServerCall:
    ids = map("toolu_{}".format, count(1))
    functions = {"look": "look"}
    return ServerCall(id_, "code_execution", {"code": code}, functions=functions, new_id=lambda: f"{id_}.{next(ids)}")


def answering(one: ServerCall, waits: ServerResult | Waits, text: str) -> ServerCall:
    assert isinstance(waits, Waits)
    [asked] = waits.calls
    return replace(one, answers={asked.id: text}, begun=True, new_id=lambda: f"{asked.id}+")


@pytest.mark.promise("programmatic-calling.workers")
async def test_code_that_waits_goes_on_whichever_process_is_answered(tmp_path: Path):
    async with workers(tmp_path) as (one, two):
        asked = call("1", LOOP)
        first = await one.does(asked)
        second = await two.does(answering(asked, first, "a"))
        assert await two.does(answering(asked, first, "a")) == second == await one.does(answering(asked, first, "a"))
        third = await two.does(answering(asked, second, "b"))
        assert await one.prints(answering(asked, third, "c")) == "a\nb\nc\n"
        assert await two.prints(call("2", "print(x)")) == "c\n"
        assert await one.prints(call("3", "print(x + x)")) == "cc\n"


@pytest.mark.promise("programmatic-calling.workers", "code-execution.repl-anew")
async def test_where_the_process_that_has_it_ends_code_is_lost_and_nobody_hangs(tmp_path: Path):
    async with workers(tmp_path) as (one, two):
        asked = call("1", LOOP)
        first = await one.does(asked)
        await one.python.aclose()
        with pytest.raises(ToolProblem, match="gone"):
            await two.does(answering(asked, first, "a"))
        # A name that a killed process has left behind.
        (Path(one.meeting) / one.id).touch()
        assert "started anew" in await two.prints(call("2", "y = 5"))
        one.python = Python()
        assert await one.prints(call("3", "print(y)")) == "5\n"


@pytest.mark.promise("programmatic-calling.workers")
async def test_code_ends_with_the_process_that_runs_it_while_another_hears_it(tmp_path: Path):
    async with workers(tmp_path) as (one, two):
        await one.prints(call("1", "import asyncio"))
        running = asyncio.create_task(two.does(call("2", "open('began', 'w').close()\nawait asyncio.sleep(60)")))
        began = tmp_path / "boxes" / one.id / "workspace" / "began"
        async with asyncio.timeout(20):
            while not began.exists():  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        await one.python.aclose()
        result = await running
    assert isinstance(result, ServerResult)
    assert "Python has ended" in result.content["stderr"]


@pytest.mark.promise("programmatic-calling.workers")
async def test_code_that_nobody_gives_back_ends(tmp_path: Path):
    async with workers(tmp_path) as (one, two):
        await one.prints(call("1", "x = 1"))
        taken = await borrow(Path(one.meeting), one.id)
        assert taken is not None
        assert await borrow(Path(one.meeting), one.id) is None
        await taken[1].aclose()
        assert "started anew" in await two.prints(call("2", "x = 2"))
        assert await one.prints(call("3", "print(x)")) == "2\n"


async def test_a_cell_that_takes_too_long_is_ended_from_afar(tmp_path: Path):
    async with workers(tmp_path) as (one, two):
        one.python = Python(seconds=1.0)
        await one.prints(call("1", "x = 1"))
        assert "detection_timeout" in await two.prints(call("2", "import time\ntime.sleep(60)"))
        assert await borrow(Path(one.meeting), one.id) is None
