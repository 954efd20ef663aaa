"""Measures sandboxes of bubblewrap: `python -m benchmarks.sandbox`.

The first command of a driver, commands after it, the first words of a Python, and the memory of many idle ones.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from antiphon.ports.sandbox import Command, Interactive, Limits, SandboxDriver
from antiphon.sandbox.bubblewrap.driver import BubblewrapDriver
from antiphon.sandbox.python import python_for

_LIMITS = Limits(1 << 30, 64, 64 << 20, 5000, 16 << 20)
_ROUNDS = 40
_MANY = 50
_REPL = "import sys\nfor line in sys.stdin: print(eval(line), flush=True)"


async def _measure(folder: Path) -> None:
    driver = BubblewrapDriver(folder, python_for(None))
    true = Command(("/bin/true",), 20.0, 1000)

    async def first() -> None:
        await (await driver.open("one", _LIMITS)).run(true)

    print(f"first command, with all that a driver prepares: {await _timed(first):.0f} ms")
    sandbox = await driver.open("one", _LIMITS)
    print(f"each command after it: {await _median(lambda: sandbox.run(true)):.0f} ms")
    python = Command(("python3", "-c", "print(6 * 7)"), 20.0, 1000)
    print(f"each Python: {await _median(lambda: sandbox.run(python)):.0f} ms")
    await _many(driver)
    await driver.aclose()


async def _many(driver: SandboxDriver) -> None:
    before, begun = _available(), time.perf_counter()
    spoken = await asyncio.gather(*(_repl(driver, number) for number in range(_MANY)))
    taken = time.perf_counter() - begun
    print(f"{_MANY} sandboxes with a REPL each: {before - _available()} MiB together, there after {taken:.1f} s")
    for one in spoken:
        await one.aclose()


async def _repl(driver: SandboxDriver, number: int) -> Interactive:
    spoken = await (await driver.open(f"many_{number}", _LIMITS)).start(Command(("python3", "-c", _REPL), 0, 1000))
    await spoken.send(b"6 * 7\n")
    await spoken.receive()
    return spoken


def _available() -> int:
    with open("/proc/meminfo") as said:
        return next(int(line.split()[1]) // 1024 for line in said if line.startswith("MemAvailable"))


async def _timed(what: Callable[[], Awaitable[object]]) -> float:
    begun = time.perf_counter()
    await what()
    return (time.perf_counter() - begun) * 1000


async def _median(what: Callable[[], Awaitable[object]]) -> float:
    return statistics.median([await _timed(what) for _ in range(_ROUNDS)])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        asyncio.run(_measure(Path(made)))
