"""States in memory first, then in files: what is put where, what goes, and when.

A state comes into memory when its slot has rested, and into its file when it has rested there: a conversation that
goes on is put into memory with every turn, and into a file when it pauses. What is in a file may leave memory and
come back. Files are written in threads, one after the other, and nobody who asks waits for one to be written.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from antiphon.engines.llamacpp.kept.files import DamagedError, Files, prepare
from antiphon.engines.llamacpp.kept.identity import identity_of
from antiphon.engines.llamacpp.kept.staging import Staged, Staging
from antiphon.engines.llamacpp.kept.states import State, States
from antiphon.ports.engine import Keep

_log = logging.getLogger("antiphon.engine")

FILE_REST: Final = 5.0
"""Seconds that a state lies in memory before it is written to its file."""

_LAST: Final = 10.0
"""Seconds that files get to be written when all ends."""

_CROWDED: Final = 0.5


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes that states may take in memory, and in files in a directory (None: in none)."""

    memory: int
    files: int = 0
    directory: Path | None = None


class SavedStates:
    """What is kept of one model's slots. `model`: its files, of which no other may have what is kept.

    `clock`: seconds since the Unix epoch. `file_rest`: see `FILE_REST`. Raises nothing but what `Staging` does.
    """

    def __init__(
        self,
        room: Room,
        model: Sequence[Path],
        context: int,
        clock: Callable[[], float],
        *,
        file_rest: float = FILE_REST,
    ) -> None:
        self.staging = Staging()
        self.evicted = 0
        self._room = room
        self._model = tuple(model)
        self._context = context
        self._clock = clock
        self._rest = file_rest
        self._states = States()
        self._files: Files | None = None
        self._writing = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._told: set[str] = set()
        self._ending = asyncio.Event()

    @property
    def prefixes(self) -> int:
        """How many states there are."""
        return len(self._states)

    @property
    def memory(self) -> int:
        """Their bytes in memory."""
        return sum(state.size for state in self._states if state.staged is not None)

    @property
    def filed(self) -> int:
        """Their bytes in files."""
        return sum(state.size for state in self._states if state.file is not None)

    async def open(self) -> None:
        """Find what earlier processes have left."""
        directory = self._room.directory
        if directory is None or self._room.files <= 0:
            return
        try:
            await asyncio.to_thread(prepare, directory)
            model = await asyncio.to_thread(identity_of, self._model, self._context, directory)
            files = Files(directory, self._room.files, model)
            found = await asyncio.to_thread(files.scan, self._clock())
        except OSError as problem:
            self._tell(
                f"marked prefixes are kept in memory alone, and not beyond this process: {problem}. Mend that, or "
                "say prompt_cache_files = 0, and this is not said again"
            )
            return
        self._files = files
        for filed in found:
            state = State(filed.form, filed.tokens, filed.size, file=filed.name)
            state.mark(filed.marks)
            self._states.add(state)

    def best(self, form: str, tokens: tuple[int, ...]) -> tuple[State | None, int]:
        """What has the most of a prompt's beginning, and how many tokens of it."""
        return self._states.best(form, tokens, self._clock())

    @asynccontextmanager
    async def reading(self, state: State) -> AsyncGenerator[Staged | None]:
        """The state in memory, where it stays for as long as it is read; None: it is lost."""
        state.readers += 1
        try:
            yield await self._bring(state)
        finally:
            state.readers -= 1
            if state not in self._states:
                self.lose(state)

    async def _bring(self, state: State) -> Staged | None:
        self._states.use(state)
        if state.staged is None and state.file is not None and self._files is not None:
            staged = self.room_for(state.size)
            if staged is None:
                return None
            try:
                await asyncio.to_thread(self._files.read, state.file, state.form, state.tokens, staged.file)
            except (DamagedError, OSError, ValueError) as problem:
                staged.close()
                _log.info("a kept prefix is lost: %s", problem)
                self.lose(state)
                return None
            except BaseException:
                staged.close()
                raise
            if state.staged is None and state in self._states:
                state.staged = staged
            else:
                staged.close()
        return state.staged

    def room_for(self, size: int) -> Staged | None:
        """Memory for so many bytes; what nobody asked for longest leaves it. None: there may not be so many."""
        if self._is_too_large(size):
            return None
        self._crowd_out(size)
        try:
            return self.staging.new()
        except OSError as problem:
            self._tell(f"marked prefixes are not kept: {problem}")
            return None

    def add(self, form: str, tokens: tuple[int, ...], staged: Staged, marks: Sequence[Keep]) -> None:
        """Keep what was written; it is in memory from now on, and in a file before long."""
        if self._is_too_large(staged.size):
            staged.close()
            return
        state = State(form, tokens, staged.size, staged=staged)
        state.mark(marks)
        for old in self._states.within(state, self._clock()):
            state.mark(mark for mark in old.marks.values() if mark.tokens <= len(tokens))
            self.lose(old)
        self._crowd_out(state.size)
        self._states.add(state)
        if self._files is not None:
            crowded = self.memory > _CROWDED * self._room.memory
            self._begin(self._file(state, 0.0 if crowded else self._rest))

    def mark(self, state: State, marks: Sequence[Keep]) -> None:
        """It was asked for: its marks begin anew."""
        self._states.use(state)
        if state.mark(marks) and state.file is not None:
            self._begin(self._remark(state))

    def lose(self, state: State) -> None:
        """It is of no use: it goes, with its file."""
        self._states.drop(state)
        if state.staged is not None and not state.readers:
            state.staged.close()
            state.staged = None
        if state.file is not None:
            self._begin(self._remove(state.file))
            state.file = None

    async def aclose(self) -> None:
        """Write what is not in its file yet, in bounded time, and give the memory back."""
        self._ending.set()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_LAST)
        for state in self._states:
            if state.staged is not None:
                state.staged.close()
        self.staging.close()

    def _is_too_large(self, size: int) -> bool:
        if size <= self._room.memory:
            return False
        self._tell(
            f"a marked prefix is not kept, since it takes more memory than prompt_cache_memory, which is "
            f"{self._room.memory}: raise it, and prompt_cache_files with it, to have such prefixes kept"
        )
        return True

    def _crowd_out(self, size: int) -> None:
        """See that there is memory for so many bytes more, as far as that can be."""
        now = self._clock()
        for state in self._states:
            if state.until <= now:
                self.lose(state)
        left = self._room.memory - self.memory - size
        # What is in a file comes back; what is not is lost.
        for state in sorted(self._states, key=lambda state: state.file is None):
            if left >= 0:
                break
            if state.staged is None or state.readers:
                continue
            left += state.size
            if state.file is None:
                self.evicted += 1
                self.lose(state)
            else:
                state.staged.close()
                state.staged = None

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _file(self, state: State, rest: float) -> None:
        """Write a state to its file, if it is there still when it has rested, or when all ends."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(rest):
                await self._ending.wait()
        async with self._writing:
            files, staged = self._files, state.staged
            if files is None or staged is None or state.file is not None:
                return
            marks = tuple(state.marks.values())
            try:
                # Memory by another number: this one may be closed, and given to others, while it is read.
                source = os.dup(staged.file)
                write = partial(files.write, state.form, state.tokens, source, state.size, marks)
                name = await asyncio.to_thread(_then_close, source, write)
            except OSError as problem:
                self._tell(f"a marked prefix is kept in memory alone, and not beyond this process: {problem}")
                return
            self.evicted += files.evicted
            files.evicted = 0
            if state in self._states:
                state.file = name
            else:
                await asyncio.to_thread(files.remove, name)

    async def _remark(self, state: State) -> None:
        async with self._writing:
            if self._files is not None and state.file is not None:
                with contextlib.suppress(OSError):
                    await asyncio.to_thread(self._files.write_marks, state.file, list(state.marks.values()))

    async def _remove(self, name: str) -> None:
        async with self._writing:
            if self._files is not None:
                await asyncio.to_thread(self._files.remove, name)

    def _tell(self, what: str) -> None:
        if what not in self._told:
            self._told.add(what)
            _log.warning("%s", what)


def _then_close(file: int, work: Callable[[], str]) -> str:
    try:
        return work()
    finally:
        os.close(file)
