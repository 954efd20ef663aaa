"""vllm-router in front of engines: a program of its own, in an environment of its own, on loopback."""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from typing import Final, Self

import aiohttp
import pytest

from tests.arch.tree import ROOT
from tests.engines.foreign import READY_TIMEOUT, free_port

PYTHON: Final = ROOT / ".venv-router" / "bin" / "python"

needs_router = pytest.mark.skipif(sys.platform != "linux", reason="vllm-router has wheels for Linux only")

_PROGRAM: Final = """
import json, sys
from vllm_router_rs import PolicyType, Router
said = json.loads(sys.argv[1])
Router(policy=PolicyType.ConsistentHash, disable_retries=True, host="127.0.0.1", log_level="error",
    worker_startup_check_interval=1, health_check_interval_secs=1, health_failure_threshold=1,
    health_success_threshold=1, **said).start()
"""


class ForeignRouter:
    """The router, running. It keeps a session at one engine and tries nothing twice, as the project's pages say."""

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self._process = process
        self.url = url

    @classmethod
    async def start(cls, engines: Sequence[str], key: str) -> Self:
        """Start it, and wait until it sees all engines. `key`: what the engines ask for."""
        assert PYTHON.exists(), "make test installs the router; alone: make .venv-router/.stamp"
        port = free_port()
        # Two routers on one machine would want the same port for their metrics.
        settings = {"worker_urls": list(engines), "port": port, "prometheus_port": free_port(), "api_key": key}
        # What the server's own switches would mean to it is not to be found out here.
        env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        quiet = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(
            PYTHON, "-P", "-c", _PROGRAM, json.dumps(settings), stdin=quiet, stdout=quiet, stderr=quiet, env=env
        )
        router = cls(process, f"http://127.0.0.1:{port}")
        try:
            async with asyncio.timeout(READY_TIMEOUT):
                while not await router.sees(len(engines)):
                    assert process.returncode is None, "the router did not start"
                    await asyncio.sleep(0.1)
        except BaseException:
            await router.kill()
            raise
        return router

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    async def sees(self, engines: int) -> bool:
        """Whether it has so many engines that are well."""
        try:
            async with aiohttp.ClientSession() as session, session.get(f"{self.url}/readiness") as response:
                return (await response.json(content_type=None)).get("healthy_workers") == engines
        except (aiohttp.ClientError, OSError, ValueError):
            return False

    async def kill(self) -> None:
        """End it."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
