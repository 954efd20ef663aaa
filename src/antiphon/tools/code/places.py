"""What the calls of the tool have in common: the container of a call, paths in it, the files that it leaves."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final

from antiphon.ports.containers import Container
from antiphon.ports.sandbox import OUTPUT, Sandbox, SandboxProblem
from antiphon.ports.server_tools import ServerCall, ToolProblem

PYTHON_ONLY: Final = "code_execution_20250522"
"""The first version: Python, anew for each call, and nothing else."""

WITH_CELLS: Final[tuple[str, ...]] = ("code_execution_20260120", "code_execution_20260521")
"""The versions whose Python goes on from one call to the next."""

VERSIONS: Final[tuple[str, ...]] = ("code_execution_20250825", *WITH_CELLS)
"""The versions of the tool that have a shell and an editor."""

MOST_OUTPUT: Final = 256 * 1024
"""Bytes of each output of a command."""

MOST_FILES: Final = 100
"""Files in `$OUTPUT_DIR` that are kept."""


@asynccontextmanager
async def at_work(call: ServerCall) -> AsyncGenerator[tuple[Container, Sandbox]]:
    """The call's container and its sandbox, for this call alone; what the sandbox cannot do is a `ToolProblem`."""
    container = call.container
    if container is None:
        raise ToolProblem("unavailable", "the request has no container")
    sandbox = await container.enter()
    try:
        yield container, sandbox
    except SandboxProblem as problem:
        raise ToolProblem("unavailable", str(problem)) from problem
    finally:
        await container.leave()


async def left_behind(container: Container, sandbox: Sandbox, kind: str) -> list[dict[str, Any]]:
    """The files in `$OUTPUT_DIR`, kept for the client, as blocks of this type."""
    left = await sandbox.entries(OUTPUT)
    kept = [await container.keep_file(sandbox, f"{OUTPUT}/{one.name}", one.name) for one in left[:MOST_FILES]]
    return [{"type": kind, "file_id": id_} for id_ in kept if id_ is not None]
