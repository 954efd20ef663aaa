"""Several processes that answer with one real model."""

import asyncio
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from tests.compose.workers.running import Client, Serving, ask, serving, until
from tests.compose.workers.test_workers import lives, one_each, two
from tests.engines.shallow import shallow_path

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(sys.platform == "win32", reason="signals"),
]

STORY = "Write a long story about the sea."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncGenerator[Serving]:
    """Two workers and the first layers of the built-in model, with two slots."""
    # A machine that is busy loads a model for a while.
    async with serving(
        "--model", str(shallow_path()), "--parallel", "2", "--context", "2048", "--ready-timeout", "150", by_name=True
    ) as running:
        yield running


async def answers_at(server: Serving, worker: int) -> str:
    """A reply of this worker."""
    async with AsyncExitStack() as open_:
        while (client := await open_.enter_async_context(server.connect())).worker != worker:
            pass
        client.send(ask("Say OK.", max_tokens=4))
        return (await client.until(b"message_stop")).decode()


@pytest.mark.promise("workers.one-engine")
async def test_all_workers_answer_with_one_engine(server: Serving):
    for worker in await two(server):
        assert "text_delta" in await answers_at(server, worker)
    assert len(server.engines()) == 1
    status, health = await server.health()
    assert (status, health["status"]) == (200, "ok")


@pytest.mark.promise("workers.slots")
async def test_more_streams_than_slots_come_to_their_end_whichever_worker_has_them(server: Serving):
    await two(server)
    async with AsyncExitStack() as open_:
        clients = [await open_.enter_async_context(server.connect()) for _ in range(6)]
        for client in clients:
            client.send(ask(STORY, max_tokens=12))
        assert await asyncio.gather(*(client.is_cut() for client in clients)) == [False] * 6
        assert len({client.worker for client in clients}) == 2


@pytest.mark.promise("workers.slots", "workers.replaced")
async def test_the_slots_of_a_killed_worker_are_free_for_the_others(server: Serving):
    killed, other = await two(server)
    async with AsyncExitStack() as open_:
        held: list[Client] = []
        while len(held) < 2:
            client = await open_.enter_async_context(server.connect())
            if client.worker == killed:
                client.send(ask(STORY))
                await client.until(b"text_delta")
                held.append(client)
        server.kill(killed)
        assert [await client.is_cut() for client in held] == [True, True]
        assert "text_delta" in await answers_at(server, other)
    await two(server)


@pytest.mark.promise("workers.one-engine")
async def test_when_the_engine_is_killed_streams_end_in_words_and_all_workers_find_the_next(server: Serving):
    async with AsyncExitStack() as open_:
        streams = await one_each(server, STORY, open_)
        (engine,) = server.engines()
        server.kill(engine)
        for client in streams.values():
            assert b"event: error" in await client.until(b"event: error")
    for worker in server.workers():
        assert "text_delta" in await answers_at(server, worker)
    assert engine not in server.engines()
    assert (await server.health())[0] == 200


@pytest.mark.promise("workers.secret")
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_the_engines_key_is_in_no_arguments_and_no_environment(server: Serving):
    environment = {pid: proc(pid, "environ") for pid in (server.pid, *await two(server))}
    (engine,) = server.engines()
    assert len(proc(engine, "cmdline").split(b"\0")) == 4  # python -P child.py
    # The workers are given nothing that their parent was not.
    assert len({names(environment[pid]) for pid in environment}) == 1


def proc(pid: int, name: str) -> bytes:
    """What the system tells of a process."""
    return Path(f"/proc/{pid}/{name}").read_bytes()


def names(environment: bytes) -> frozenset[bytes]:
    """The variables that are set."""
    return frozenset(entry.split(b"=")[0] for entry in environment.split(b"\0") if entry)


@pytest.mark.promise("workers.parent", "workers.loading")
async def test_all_says_that_it_loads_until_it_is_loaded_and_ends_with_a_parent_that_is_killed():
    async with serving("--model", str(shallow_path()), "--parallel", "1", "--context", "2048", wait=False) as server:
        await until(lambda: len(server.workers()) == 2 or server.process.poll() is not None, "workers")
        await server.listening()
        workers, engines = server.workers(), server.engines()
        assert (len(workers), len(engines)) == (2, 1)
        async with server.connect() as client:
            client.send(ask(STORY))
            await client.until(b"text_delta")
            server.kill(number=signal.SIGKILL)
            assert await client.is_cut()
        await server.ended()
        await until(lambda: not any(lives(pid) for pid in workers | engines), "the end of all")
