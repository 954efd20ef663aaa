"""Taking folders away that hostile programs have filled: nested deeper than our own stack would go, or shut."""

import asyncio
import os
from asyncio.subprocess import DEVNULL
from pathlib import Path

from antiphon.ports.sandbox import SandboxProblem


async def remove(path: Path) -> None:
    """Take away what is there, whatever it is; nothing where nothing is. Raises `SandboxProblem`."""
    if not await asyncio.to_thread(os.path.lexists, path):
        return
    if await _run("rm", "-rf", "--one-file-system", "--", str(path)):
        # Folders that their owner has shut are his who removes them: root needs no key.
        await _run("chmod", "-R", "u+rwX", "--", str(path))
        if await _run("rm", "-rf", "--one-file-system", "--", str(path)):
            raise SandboxProblem("unavailable", f"{path} cannot be removed")


async def _run(*argv: str) -> int:
    process = await asyncio.create_subprocess_exec(*argv, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL)
    return await process.wait()
