"""What the calls of the tool have in common: the container of a call, and paths in it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from antiphon.ports.containers import Container
from antiphon.ports.sandbox import Sandbox, SandboxProblem
from antiphon.ports.server_tools import ServerCall, ToolProblem

VERSIONS: Final[tuple[str, ...]] = ("code_execution_20250825",)
"""The versions of the tool that have a shell and an editor."""


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
