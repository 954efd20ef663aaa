"""A server that is killed leaves nothing behind."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from tests.sandbox.commands import mounts, until
from tests.sandbox.conftest import LIMITS, bubblewrap

SECONDS = str(100_000 + os.getpid())
"""How long the server's sleeps would last: a number that no other process is called with."""

SERVER = """
import asyncio, sys
from pathlib import Path
from antiphon.ports.sandbox import Command
from tests.sandbox.conftest import LIMITS, bubblewrap

async def main():
    driver = bubblewrap(Path(sys.argv[1]))
    sandbox = await driver.open("one", LIMITS)
    spoken = await sandbox.start(Command(("/bin/sh", "-c", "trap '' TERM HUP INT; setsid sleep SECONDS & echo; sleep SECONDS"), 9, 99))
    await spoken.receive()
    running = asyncio.ensure_future(sandbox.run(Command(("/bin/sh", "-c", "touch begun; sleep SECONDS"), 999, 99)))
    while not await sandbox.entries("."):
        if running.done():
            print("the command has ended:", running, flush=True)
        await asyncio.sleep(0.01)
    print("ready", flush=True)
    await running

asyncio.run(main())
"""


def sleeping() -> list[str]:
    """Processes of the machine that are one of the server's sleeps."""
    found: list[str] = []
    for name in os.listdir("/proc"):
        try:
            if name.isdigit() and SECONDS.encode() in Path("/proc", name, "cmdline").read_bytes().split(b"\0"):
                found.append(name)
        except OSError:
            continue
    return found


async def all_there() -> bool:
    """Whether each of them has begun."""
    return len(sleeping()) == 3


async def all_gone() -> bool:
    """Whether none of them is left."""
    return not sleeping()


@pytest.mark.promise("sandbox.killed-server")
async def test_a_server_that_is_killed_leaves_no_process_and_no_mount(tmp_path: Path):
    mounted = mounts()
    server = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        SERVER.replace("SECONDS", SECONDS),
        str(tmp_path / "sandboxes"),
        stdout=PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert server.stdout is not None
    try:
        async with asyncio.timeout(60):
            assert await server.stdout.readline() == b"ready\n"
        await until(all_there)
    finally:
        server.send_signal(signal.SIGKILL)
        await server.wait()
    await until(all_gone)
    assert mounts() == mounted
    (tmp_path / "sandboxes" / f"probe_{server.pid}").mkdir()
    again = bubblewrap(tmp_path / "sandboxes")
    await again.open("one", LIMITS)
    assert sorted(os.listdir(tmp_path / "sandboxes")) == [".system", "one"]
    await again.aclose()
