"""Checkpoints: what lies in a container that nobody uses, packed away, and brought back when somebody asks for it.

It is packed and unpacked inside of the container's own sandbox: whatever links and names there are, and whoever wrote
them, lead nowhere else, and take no more than the container may have. Source: API reference, Code execution tool,
containers.
"""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from antiphon.ports.objects import ObjectStore
from antiphon.ports.sandbox import Command, Finished, Interactive, Sandbox, SandboxProblem
from antiphon.service.packing import DONE

SECONDS: Final = 300.0
"""That one may take to be packed, or unpacked."""

_MOST_SAID: Final = 64 * 1024
_SCRIPT: Final = Path(__file__).with_name("packing.py")


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Kept in a store of objects. `lasting`: seconds that one is kept. `most`: bytes that one may have, packed."""

    objects: ObjectStore
    lasting: float
    most: int

    async def save(self, id_: str, sandbox: Sandbox) -> None:
        """Pack what lies in the container. Raises `SandboxProblem` where it cannot be packed, and `StoreError`."""
        process = await sandbox.start(_command("save"))
        try:
            async with asyncio.timeout(SECONDS):
                await self.objects.put(_key(id_), self._packed(process))
        except TimeoutError as problem:
            raise SandboxProblem("unavailable", "it takes too long to be packed") from problem
        finally:
            await process.aclose()

    async def load(self, id_: str, sandbox: Sandbox) -> None:
        """Unpack it. Raises `SandboxProblem` and `StoreError`."""
        process = await sandbox.start(_command("load"))
        try:
            async with asyncio.timeout(SECONDS):
                # One that has ended before its time says why.
                with suppress(SandboxProblem):
                    async for chunk in self.objects.read(_key(id_)):
                        await process.send(struct.pack(">I", len(chunk)) + chunk)
                    await process.send(struct.pack(">I", 0))
                said = await process.receive()
                finished = await process.finished()
        except TimeoutError as problem:
            raise SandboxProblem("unavailable", "it takes too long to be unpacked") from problem
        finally:
            await process.aclose()
        if said != DONE.encode() or finished.killed or finished.return_code:
            raise SandboxProblem("unavailable", f"its checkpoint cannot be unpacked: {_why(finished)}")

    async def remove(self, id_: str) -> None:
        """Forget it. Raises `StoreError`."""
        await self.objects.delete(_key(id_))

    async def _packed(self, process: Interactive) -> AsyncIterator[bytes]:
        size = 0
        while data := await process.receive():
            size += len(data)
            if size > self.most:
                raise SandboxProblem("too_large", f"packed it has more than {self.most} bytes")
            yield data
        finished = await process.finished()
        if finished.killed or finished.return_code:
            raise SandboxProblem("unavailable", f"it cannot be packed: {_why(finished)}")


def _command(what: str) -> Command:
    # -I: nothing of the workspace is imported.
    return Command(("python3", "-I", "-c", _SCRIPT.read_text("utf-8"), what), 0.0, _MOST_SAID)


def _key(id_: str) -> str:
    return f"containers/{id_[-2:]}/{id_}"


def _why(finished: Finished) -> str:
    if finished.killed is not None:
        return f"out of {finished.killed}"
    return finished.stderr.decode("utf-8", "replace").strip()[-300:]
