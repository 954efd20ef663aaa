"""What runs inside a sandbox: cells of Python, one after another, in one namespace. It imports nothing of the server.

Both ways a frame is four bytes of length and JSON. It is given cells (`code`, `functions`, `patience`) and `results`
of calls; it says `calls`, and what a cell came to when that has `ended`.
"""

import ast
import asyncio
import inspect
import itertools
import json
import linecache
import os
import shutil
import struct
import sys
import tempfile
import traceback
import types
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from typing import IO, Any, Final

MOST_OUTPUT: Final = 256 * 1024
MOST_INPUT: Final = 1024 * 1024
MOST_CALLS: Final = 50
TOGETHER: Final = 0.02
"""Seconds that calls wait for others, to be asked for at once."""


class NoAnswer(TimeoutError):  # noqa: N818 - reads as what happened
    """Nobody has answered a call in time."""


class Link:
    """The frames, over what were the standard input and output."""

    def __init__(self) -> None:
        self.source, self._sink = os.dup(0), os.dup(1)
        self._heard = bytearray()

    def send(self, **said: Any) -> None:
        data = json.dumps(said, ensure_ascii=False).encode("utf-8", "replace")
        data = struct.pack(">I", len(data)) + data
        while data:
            data = data[os.write(self._sink, data) :]

    def hear(self) -> None:
        """Take what has come, and wait where nothing has; the end of it is the end."""
        data = os.read(self.source, 65_536)
        if not data:
            os._exit(0)
        self._heard += data

    def frames(self) -> Iterator[dict[str, Any]]:
        """The frames that are there."""
        while len(self._heard) >= 4:
            size = 4 + int.from_bytes(self._heard[:4], "big")
            if len(self._heard) < size:
                return
            frame, self._heard = self._heard[4:size], self._heard[size:]
            yield json.loads(frame)

    def cell(self) -> dict[str, Any]:
        """The next cell. Results that come too late for their calls are nobody's."""
        while True:
            for frame in self.frames():
                if "code" in frame:
                    return frame
            self.hear()


class Calls:
    """Calls of functions that somebody outside answers."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._waiting: dict[int, asyncio.Future[str]] = {}
        self._unsaid: list[dict[str, Any]] = []
        self._keys = itertools.count(1)
        self.patience = 0.0

    def function(self, name: str, tool: str) -> Callable[..., Coroutine[Any, Any, str]]:
        """The function of a tool: its input is one dict, or keywords; it returns a text."""

        async def function(given: dict[str, Any] | None = None, /, **more: Any) -> str:
            return await self._called(tool, {**(given or {}), **more})

        function.__name__ = function.__qualname__ = name
        return function

    async def _called(self, tool: str, given: dict[str, Any]) -> str:
        written = json.dumps(given, allow_nan=False)
        if len(written) > MOST_INPUT:
            raise ValueError(f"the input of a call may have {MOST_INPUT} characters")
        loop, key = asyncio.get_running_loop(), next(self._keys)
        answer = self._waiting[key] = loop.create_future()
        self._unsaid.append({"key": key, "name": tool, "input": json.loads(written)})
        if len(self._unsaid) == 1:
            loop.call_later(TOGETHER, self._say)
        loop.add_reader(self._link.source, self._hear)
        try:
            async with asyncio.timeout(self.patience):
                return await answer
        except TimeoutError:
            raise NoAnswer(f"Calling tool ['{tool}'] timed out (no response after {self.patience:g}s).") from None
        finally:
            self._waiting.pop(key, None)
            self._unsaid = [call for call in self._unsaid if call["key"] != key]
            if not self._waiting:
                loop.remove_reader(self._link.source)

    def _say(self) -> None:
        size, said = 0, list[dict[str, Any]]()
        for call in self._unsaid[:MOST_CALLS]:
            size += len(json.dumps(call))
            if said and size > MOST_INPUT:
                break
            said.append(call)
        self._unsaid = self._unsaid[len(said) :]
        if said:
            self._link.send(calls=said)
        if self._unsaid:
            self._say()

    def _hear(self) -> None:
        self._link.hear()
        for frame in self._link.frames():
            for key, text in frame.get("results", {}).items():
                answer = self._waiting.get(int(key))
                if answer is not None and not answer.done():
                    answer.set_result(text)

    def forget(self) -> None:
        """The cell has ended; whoever of it waits still waits for nothing."""
        for answer in list(self._waiting.values()):
            with suppress(RuntimeError):  # its loop may be closed
                answer.cancel()
        self._waiting.clear()
        self._unsaid.clear()


class Cells:
    """The namespace, and what runs in it."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._count = 0
        self._functions: dict[str, object] = {}
        self._main = types.ModuleType("__main__")
        self._loop = asyncio.new_event_loop()
        sys.modules["__main__"] = self._main

    def run(self, code: str, functions: dict[str, str]) -> int:
        """Run a cell; what would be its exit status."""
        self._count += 1
        self._name(functions)
        place = f"<cell {self._count}>"
        linecache.cache[place] = len(code), None, code.splitlines(keepends=True), place
        try:
            made = compile(code, place, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
            asyncio.set_event_loop(self._loop)
            ran = eval(made, self._main.__dict__)
            if inspect.iscoroutine(ran):
                self._loop.run_until_complete(ran)
        except SystemExit as end:
            if end.code is not None and not isinstance(end.code, int):
                sys.stderr.write(f"{end.code}\n")
            return (end.code & 255) if isinstance(end.code, int) else int(end.code is not None)
        except NoAnswer as problem:
            # As the API has it: the one line, and no failure.
            sys.stderr.write(f"TimeoutError: {problem}\n")
        except BaseException as problem:
            at = problem.__traceback__
            while at is not None and not at.tb_frame.f_code.co_filename.startswith("<cell "):
                at = at.tb_next
            traceback.print_exception(type(problem), problem, at)
            return 1
        finally:
            self._calls.forget()
        return 0

    def _name(self, functions: dict[str, str]) -> None:
        names = self._main.__dict__
        for name, function in self._functions.items():
            if name not in functions and names.get(name) is function:
                del names[name]
        self._functions = {name: self._calls.function(name, tool) for name, tool in functions.items()}
        names |= self._functions


def emptied(folder: str) -> None:
    """Take away what lies in a folder, and not the folder: somebody may stand in it."""
    os.makedirs(folder, exist_ok=True)
    for entry in list(os.scandir(folder)):
        with suppress(OSError):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                os.unlink(entry.path)


def kept(file: IO[bytes]) -> str:
    """The beginning of what was written to a file."""
    return os.pread(file.fileno(), MOST_OUTPUT, 0).decode("utf-8", "replace")


def main() -> None:
    """Run cells until there are no more."""
    link, null, folder = Link(), os.open(os.devnull, os.O_RDWR), os.environ["OUTPUT_DIR"]
    os.dup2(null, 0)
    calls = Calls(link)
    cells = Cells(calls)
    while True:
        frame = link.cell()
        with suppress(OSError):
            emptied(folder)
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            calls.patience = frame["patience"]
            status = cells.run(frame["code"], frame["functions"])
            with suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            ended = {"stdout": kept(out), "stderr": kept(err), "return_code": status}
            os.dup2(null, 1)
            os.dup2(null, 2)
        link.send(ended=ended)


if __name__ == "__main__":
    main()
