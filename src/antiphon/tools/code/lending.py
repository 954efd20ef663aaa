"""Pythons that go on, for all processes of a machine: each stays where it was started, and is lent to who needs it.

Who has one listens on a socket of the container's name, in a folder that only this server sees. Who takes it gets
what is known of it, and speaks to it through that socket until it is given back. Where one of the two ends in
between, so does the Python: nobody could tell what it has heard.

A frame is a letter, four bytes of length, and that many bytes. What travels is pickled: both are one program of one
user.
"""

import asyncio
import os
import pickle
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from antiphon.ports.sandbox import Finished, Interactive, SandboxProblem

TAKE, SEND, RECEIVE, FINISHED, KEEP, CLOSE, GONE = (bytes([letter]) for letter in b"TSRFKCG")

PATIENCE: Final = 5.0
"""Seconds that another process gets to answer what takes it no time."""

_HEAD: Final = struct.Struct(">cI")
_ENDED: Final = Finished(137, b"", b"")

Frame = tuple[bytes, bytes]

Take = Callable[[str], "tuple[bytes, Interactive] | None"]
"""What is known of the container's Python, and its process; from then on it is the taker's."""

Keep = Callable[[str, bytes, Interactive], Awaitable[None]]
"""It is given back, with what is known of it now."""


class Borrowed:
    """An `Interactive` that runs in another process of this machine."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        """See `Interactive`."""
        if (await self._ask(SEND, data))[0] != SEND:
            raise SandboxProblem("gone", "its process, or the one that runs it, has ended")

    async def receive(self) -> bytes:
        """See `Interactive`."""
        return (await self._ask(RECEIVE))[1]

    async def finished(self) -> Finished:
        """See `Interactive`."""
        letter, data = await self._ask(FINISHED)
        return pickle.loads(data) if letter == FINISHED else _ENDED

    async def give_back(self, known: bytes) -> bool:
        """Leave it, with what is known of it, to the process that it runs in; False where that has ended."""
        try:
            async with asyncio.timeout(PATIENCE):
                return (await self._ask(KEEP, known))[0] == KEEP
        except TimeoutError:
            return False
        finally:
            self._writer.close()

    async def aclose(self) -> None:
        """See `Interactive`."""
        if not self._writer.is_closing():
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await _say(self._writer, CLOSE)
                    while (frame := await _heard(self._reader)) is not None and frame[0] != CLOSE:
                        pass
        self._writer.close()

    async def _ask(self, letter: bytes, data: bytes = b"") -> Frame:
        try:
            await _say(self._writer, letter, data)
            return await _heard(self._reader) or (GONE, b"")
        except OSError:
            return GONE, b""


async def borrow(folder: Path, container: str) -> tuple[bytes, Borrowed] | None:
    """The Python that another process has for the container, and what is known of it; None: nobody has one."""
    try:
        with _Folder(folder) as at:
            # asyncio's own way does not take the path of an open folder.
            end = socket.socket(socket.AF_UNIX)
            end.setblocking(False)
            try:
                await asyncio.get_running_loop().sock_connect(end, at.address(container))
                reader, writer = await asyncio.open_unix_connection(sock=end)
            except BaseException:
                end.close()
                raise
    except OSError:
        return None
    try:
        async with asyncio.timeout(PATIENCE):
            await _say(writer, TAKE)
            frame = await _heard(reader)
    except (OSError, TimeoutError):
        frame = None
    if frame is None:
        writer.close()
        return None
    return frame[1], Borrowed(reader, writer)


class Lender:
    """Lends what this process has. `take` and `keep`: its own Pythons, by their containers."""

    def __init__(self, take: Take, keep: Keep) -> None:
        self._take = take
        self._keep = keep
        self._offers: dict[str, tuple[_Bound, asyncio.Server]] = {}
        self._lent: set[asyncio.Task[None]] = set()

    async def offer(self, folder: Path, container: str) -> None:
        """Lend the container's Python from now on. `OSError`: this machine does not let it."""
        # Another process may have had a Python of the container since, and the name is its own.
        self.withdraw(container)
        bound = _Bound.to(folder / container)
        server = await asyncio.start_unix_server(lambda r, w: self._lend(container, r, w), sock=bound.end)
        self._offers[container] = bound, server

    def withdraw(self, container: str) -> None:
        """Lend it no more."""
        if (offer := self._offers.pop(container, None)) is not None:
            bound, server = offer
            server.close()
            bound.remove()

    async def aclose(self) -> None:
        """Lend nothing more, and end what is lent."""
        for container in list(self._offers):
            self.withdraw(container)
        for task in self._lent:
            task.cancel()
        await asyncio.gather(*self._lent, return_exceptions=True)

    async def _lend(self, container: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._lent.add(task)
        process: Interactive | None = None
        try:
            if await _heard(reader) == (TAKE, b"") and (taken := self._take(container)) is not None:
                known, process = taken
                await _say(writer, TAKE, known)
                if (known := await _served(process, reader, writer)) is not None:
                    # It is this process's again before the other one hears so, and lends it to a third.
                    kept, process = process, None
                    await self._keep(container, known, kept)
                    await _say(writer, KEEP)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._lent.discard(task)
            if process is not None:
                self.withdraw(container)
                await process.aclose()
                with suppress(OSError):
                    await _say(writer, CLOSE)
            writer.close()


async def _served(process: Interactive, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes | None:
    """Do what the borrower says, until it gives it back: what is known of it then. None: it is to end."""
    listening = asyncio.ensure_future(_heard(reader))
    try:
        while (frame := await listening) is not None:
            letter, data = frame
            listening = asyncio.ensure_future(_heard(reader))
            if letter == KEEP:
                return data
            if letter not in (SEND, RECEIVE, FINISHED):
                return None
            doing = asyncio.ensure_future(_done(process, letter, data))
            try:
                # A borrower that is gone, or ends it, does not wait for its answer.
                await asyncio.wait((doing, listening), return_when=asyncio.FIRST_COMPLETED)
                if not doing.done():
                    return None
                await _say(writer, *doing.result())
            finally:
                doing.cancel()
        return None
    finally:
        listening.cancel()


async def _done(process: Interactive, letter: bytes, data: bytes) -> Frame:
    if letter == RECEIVE:
        return RECEIVE, await process.receive()
    if letter == FINISHED:
        return FINISHED, pickle.dumps(await process.finished())
    try:
        await process.send(data)
    except SandboxProblem:
        return GONE, b""
    return SEND, b""


@dataclass(frozen=True, slots=True)
class _Bound:
    """A socket that has a name. `file`: what tells it from another one of that name."""

    end: socket.socket
    path: Path
    file: int

    @classmethod
    def to(cls, path: Path) -> "_Bound":
        """A new one, in the place of what had the name before."""
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with _Folder(path.parent) as at:
            end = socket.socket(socket.AF_UNIX)
            try:
                path.unlink(missing_ok=True)
                end.bind(at.address(path.name))
                return cls(end, path, path.lstat().st_ino)
            except BaseException:
                end.close()
                raise

    def remove(self) -> None:
        """Take the name away, unless it is another one's by now."""
        with suppress(OSError):
            if self.path.lstat().st_ino == self.file:
                self.path.unlink()


class _Folder:
    """A folder whose names are short enough for a socket's address, however deep it lies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def __enter__(self) -> "_Folder":
        if os.path.isdir("/proc/self/fd"):
            self._file = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        return self

    def __exit__(self, *problem: object) -> None:
        if self._file is not None:
            os.close(self._file)

    def address(self, name: str) -> str:
        """Where the socket of this name is."""
        return str(self._path / name) if self._file is None else f"/proc/self/fd/{self._file}/{name}"


async def _say(writer: asyncio.StreamWriter, letter: bytes, data: bytes = b"") -> None:
    writer.write(_HEAD.pack(letter, len(data)) + data)
    await writer.drain()


async def _heard(reader: asyncio.StreamReader) -> Frame | None:
    """The next frame; None: the other end is gone."""
    try:
        letter, size = _HEAD.unpack(await reader.readexactly(_HEAD.size))
        return letter, await reader.readexactly(size)
    except (asyncio.IncompleteReadError, OSError):
        return None
