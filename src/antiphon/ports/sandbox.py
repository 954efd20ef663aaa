"""Where code that nobody trusts is run: protocols and values.

A driver (`SandboxDriver`) keeps sandboxes: each has a private workspace, sees a read-only system and nothing else of
the machine, reaches no network, and is bounded in memory, processes, time and disk. What runs there is written by a
model, for whoever asked the model: it is taken for hostile. A sandbox knows nothing of the protocol; what a
container, a REPL or a skill is, is said by its user.

Paths are those that code in the sandbox sees. A server never opens a path of a workspace by itself: what looks like a
file there may be a link to anything.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

WORKSPACE = "/workspace"
"""The private folder in which commands begin."""

OUTPUT = "/tmp/outputs"
"""The folder that a command finds as `$OUTPUT_DIR`, fresh and empty for each command that asks for one."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one sandbox may use. Sizes are bytes.

    `processes`: at once. `disk`, `files`: all that is in its workspace. `file_size`: one file.
    """

    memory: int
    processes: int
    disk: int
    files: int
    file_size: int


@dataclass(frozen=True, slots=True)
class Mount:
    """A folder of the machine, by its absolute path, that the sandbox sees at `target`, read-only."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Command:
    """Something to run. `seconds`: after so many it is killed, with all that it has started.

    `output`: so many bytes of each of its two outputs are kept, and the rest is read and dropped. `outputs`: it gets
    a fresh `$OUTPUT_DIR`.
    """

    argv: tuple[str, ...]
    seconds: float
    output: int
    stdin: bytes = b""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    outputs: bool = False


@dataclass(frozen=True, slots=True)
class Finished:
    """How a command ended. Nothing that it started is alive.

    `return_code`: 128 + n where signal n ended it. `killed`: why the sandbox ended it ("time", "memory", "disk"), or
    None. `cut`: output was dropped.
    """

    return_code: int
    stdout: bytes
    stderr: bytes
    killed: str | None = None
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A regular file that lies directly in a folder. Links, devices and folders are none."""

    name: str
    size: int


class SandboxProblem(Exception):  # noqa: N818 - reads as what happened
    """The sandbox could not do it. `code`: "not_found", "not_a_file", "too_large", "full", "gone", "unavailable".

    The text is for the owner's log.
    """

    def __init__(self, code: str, reason: str = "") -> None:
        super().__init__(reason or code)
        self.code = code


class Interactive(Protocol):
    """A process in the sandbox that is spoken to while it lives, such as a REPL."""

    async def send(self, data: bytes) -> None:
        """Write to its standard input; raises `SandboxProblem("gone")` where it has ended."""
        ...

    async def receive(self) -> bytes:
        """What it writes next to its standard output, some bytes at least; b"" when it has ended."""
        ...

    async def finished(self) -> Finished:
        """Wait until it has ended. Its standard error is kept as a command's is; its standard output was received."""
        ...

    async def aclose(self) -> None:
        """Kill it and all that it has started; may be called more than once."""
        ...


class Sandbox(Protocol):
    """One sandbox. Its workspace stays until it is discarded; commands in it may run at the same time."""

    async def run(self, command: Command) -> Finished:
        """Run a command to its end. Cancelling it kills the command and all that it has started."""
        ...

    async def start(self, command: Command) -> Interactive:
        """Start a process that is spoken to. `seconds` and `stdin` of the command are not looked at."""
        ...

    async def put(self, path: str, chunks: AsyncIterator[bytes]) -> None:
        """Write a file at a path, relative to the workspace or absolute within what the sandbox may write."""
        ...

    def get(self, path: str, most: int) -> AsyncIterator[bytes]:
        """The bytes of a regular file, links not followed; `SandboxProblem("too_large")` where they pass `most`.

        Files of mounts that the sandbox was opened with are read too.
        """
        ...

    async def entries(self, folder: str) -> Sequence[Entry]:
        """The regular files directly in a folder, by name; none where there is no such folder."""
        ...

    async def rest(self) -> None:
        """Let go of all processes; the workspace stays on disk, and the next command wakes it."""
        ...


class SandboxDriver(Protocol):
    """Keeps sandboxes by id, on this machine. Ids are [A-Za-z0-9_]+, and choosing them is the user's part."""

    name: str

    async def probe(self) -> str | None:
        """Why it does not work here, and what would help, in one sentence; None: it does. Tries it for real."""
        ...

    async def open(self, id_: str, limits: Limits, mounts: Sequence[Mount] = ()) -> Sandbox:
        """The sandbox of this id, made where there is none; its workspace is as it was left, by earlier starts."""
        ...

    async def exists(self, id_: str) -> bool:
        """Whether there is a workspace of this id."""
        ...

    async def discard(self, id_: str) -> None:
        """Kill what runs in it and take its workspace away; nothing where there is none."""
        ...

    async def aclose(self) -> None:
        """Kill everything that runs in sandboxes. Workspaces stay."""
        ...


@dataclass(frozen=True, slots=True)
class Sandboxes:
    """Where a server runs code: the driver that works here, and what each sandbox may use."""

    driver: SandboxDriver
    limits: Limits
