"""A command that is run to its end, and one that is spoken to."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from antiphon.ports.sandbox import Command, Finished
from antiphon.sandbox.measuring import Usage
from antiphon.sandbox.running import Measure, Running


async def run(running: Running, command: Command, measure: Measure, before: Usage) -> Finished:
    """Give it its input, hear it out, and see to it that it ends in time. Whoever started it closes it."""
    async with asyncio.TaskGroup() as group:
        given = group.create_task(running.give(command.stdin))
        out, err = group.create_task(running.out()), group.create_task(running.err())
        await running.watch(measure, before, command.seconds)
        given.cancel()
    await running.check(measure, before)
    return await running.ended(out.result(), err.result())


class Spoken:
    """An `Interactive` over a running command."""

    def __init__(self, running: Running, measure: Measure, before: Usage, on_end: Callable[[Running], None]) -> None:
        self._running = running
        self._on_end = on_end
        self._err = asyncio.ensure_future(running.err())
        self._watching = asyncio.ensure_future(running.watch(measure, before, None))

    async def send(self, data: bytes) -> None:
        """Write to its standard input. Raises `SandboxProblem("gone")`."""
        await self._running.send(data)

    async def receive(self) -> bytes:
        """What it writes next; b"" when it has ended."""
        return await self._running.receive()

    async def finished(self) -> Finished:
        """Wait until it has ended."""
        await asyncio.shield(self._watching)
        finished = await self._running.ended(b"", await asyncio.shield(self._err))
        await self.aclose()
        return finished

    async def aclose(self) -> None:
        """Kill it and all that it has started."""
        await self._running.aclose()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(self._watching, self._err)
        self._on_end(self._running)
