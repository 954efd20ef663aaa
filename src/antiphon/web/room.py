"""What a connection holds for those that wait, without room for many: there is one, or nobody.

A `deque` takes 0.6 KiB before anything is in it, and uvicorn has three of them for each open stream.
"""

import asyncio
from typing import Literal, TypeVar

from uvicorn.protocols.http.flow_control import FlowControl

_Item = TypeVar("_Item")


class Bell(asyncio.Event):
    """An event that few wait for."""

    def __init__(self) -> None:  # asyncio's own makes the room
        self._rung = False
        self._listening: list[asyncio.Future[None]] = []

    def __repr__(self) -> str:
        return f"<Bell, {'rung' if self._rung else 'silent'}, {len(self._listening)} waiting>"

    def is_set(self) -> bool:
        return self._rung

    def set(self) -> None:
        self._rung = True
        for listener in self._listening:
            if not listener.done():
                listener.set_result(None)

    def clear(self) -> None:
        self._rung = False

    async def wait(self) -> Literal[True]:
        if not self._rung:
            listener = asyncio.get_running_loop().create_future()
            self._listening.append(listener)
            try:
                await listener
            finally:
                self._listening.remove(listener)
        return True


class Flow(FlowControl):
    """Whether a connection takes more, and is read; who writes waits only where it does not."""

    def __init__(self, transport: asyncio.Transport) -> None:  # uvicorn's own makes the room
        self._transport = transport
        self.read_paused = False
        self.write_paused = False
        self._writable: Bell | None = None

    async def drain(self) -> None:
        """Until more is taken."""
        if self._writable is not None:
            await self._writable.wait()

    def pause_writing(self) -> None:
        """No more is taken for now."""
        if not self.write_paused:
            self.write_paused = True
            self._writable = Bell()

    def resume_writing(self) -> None:
        """More is taken."""
        if self.write_paused:
            self.write_paused = False
            if self._writable is not None:
                self._writable.set()
                self._writable = None


class Line(list[_Item]):
    """Requests behind the one that is answered: come on the left, go on the right."""

    def appendleft(self, item: _Item) -> None:
        """Put it behind all others."""
        self.insert(0, item)
