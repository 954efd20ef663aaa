"""Processes that take connections off one socket, in turn: here several of them in one process."""

import asyncio
import os
import socket
import tempfile
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from antiphon.web import turns
from antiphon.web.server import bind
from antiphon.web.turns import Loads, Turns

PATIENCE = 10.0


async def until(holds: Callable[[], bool]) -> None:
    """Wait for what nothing announces."""
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def nobody(scope: object, receive: object, send: object) -> None:
    """An app that is never asked."""


@dataclass
class Door:
    """One socket, and processes that take connections off it. `states`: uvicorn's, of each."""

    listener: socket.socket
    loads: Loads
    turns: list[Turns]
    states: list[ServerState] = field(default_factory=list[ServerState])

    def open(self, number: int) -> None:
        """Let one of them take connections."""
        self.turns[number].open(Config(nobody), self.states[number])

    def counts(self) -> list[int]:
        """How many connections each has."""
        return [len(state.connections) for state in self.states]

    async def connect(self, stack: AsyncExitStack, count: int) -> list[asyncio.StreamWriter]:
        """So many clients at once."""
        before = sum(self.counts())
        port = self.listener.getsockname()[1]
        pairs = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", port) for _ in range(count)))
        for _, writer in pairs:
            stack.callback(writer.close)
        await until(lambda: sum(self.counts()) == before + count)
        return [writer for _, writer in pairs]


@asynccontextmanager
async def door(processes: int) -> AsyncGenerator[Door]:
    """A door that none of them has opened yet."""
    with tempfile.TemporaryFile() as file:
        os.ftruncate(file.fileno(), Loads.size(processes))
        loads = Loads(file.fileno(), processes)
        for number in range(processes):
            loads.say(number, None)
        with bind("127.0.0.1", 0) as listener:
            # Each process has the socket as a file of its own.
            made = [Turns([listener.dup()], Loads(file.fileno(), processes), number) for number in range(processes)]
            for each in made:
                each._listeners[0].setblocking(False)  # pyright: ignore[reportPrivateUsage]
            there = Door(listener, loads, made, [ServerState() for _ in made])
            try:
                yield there
            finally:
                for each in made:
                    each.close()
                # A connection that outlives its loop is a warning of some later test.
                for state in there.states:
                    for connection in list(state.connections):
                        connection.transport.close()
                await until(lambda: sum(there.counts()) == 0)


@pytest.mark.promise("workers.even")
@pytest.mark.parametrize("at_once", [1, 30])
async def test_each_has_as_many_connections_as_the_others(at_once: int):
    async with door(3) as there, AsyncExitStack() as stack:
        for number in range(3):
            there.open(number)
        for _ in range(30 // at_once):
            await there.connect(stack, at_once)
        assert there.counts() == [10, 10, 10]
        assert there.loads.said() == [10, 10, 10]


@pytest.mark.promise("workers.even")
async def test_who_comes_late_takes_all_until_it_has_as_many():
    async with door(2) as there, AsyncExitStack() as stack:
        there.open(0)
        await there.connect(stack, 6)
        assert there.loads.said() == [6, None]
        there.open(1)
        await there.connect(stack, 6)
        assert there.counts() == [6, 6]


async def test_connections_that_end_make_room():
    async with door(2) as there, AsyncExitStack() as stack:
        there.open(0)
        writers = await there.connect(stack, 4)
        there.open(1)
        for writer in writers:
            writer.close()
        await until(lambda: there.loads.said() == [0, 0])
        await there.connect(stack, 4)
        assert there.counts() == [2, 2]


@pytest.mark.promise("workers.even")
async def test_what_the_least_busy_does_not_take_another_takes_after_a_moment():
    async with door(2) as there, AsyncExitStack() as stack:
        there.open(0)
        there.loads.say(1, 0)  # it says that it is there, and never comes
        await there.connect(stack, 3)
        assert there.counts() == [3, 0]


async def test_who_takes_no_more_leaves_it_to_the_others():
    async with door(2) as there, AsyncExitStack() as stack:
        there.open(0)
        there.open(1)
        await there.connect(stack, 2)
        there.turns[0].close()
        there.turns[0].close()
        assert there.loads.said() == [None, 1]
        await there.connect(stack, 3)
        assert there.counts() == [1, 4]


async def test_when_the_system_lets_nothing_be_opened_it_is_tried_again_later(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(turns, "OUT_OF_FILES", 0.01)
    async with door(1) as there, AsyncExitStack() as stack:
        full = Full(there.turns[0]._listeners[0])  # pyright: ignore[reportPrivateUsage]
        there.turns[0] = Turns([full], there.loads, 0)
        there.open(0)
        await there.connect(stack, 1)
        assert full.refused == 2
    assert caplog.text.count("a connection cannot be taken: [Errno 24]") == 2


class Full(socket.socket):
    """A socket that two times has no file left for a connection."""

    def __init__(self, listener: socket.socket) -> None:
        super().__init__(fileno=listener.detach())
        self.refused = 0

    def accept(self) -> tuple[socket.socket, object]:
        if self.refused < 2:
            self.refused += 1
            raise OSError(24, "Too many open files")
        return super().accept()
