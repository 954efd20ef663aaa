"""Mixed traffic on a server with everything switched on, while what it stands on comes and goes.

    python -m benchmarks.soak [--minutes 30] [--clients 8] [--workers 2] [--seed 1]

Every `--every` seconds one thing happens: the engine of the real model is killed, PostgreSQL stops and comes back,
Valkey is gone and comes back empty. Among the clients are some that leave, that stall, and that send halves of
requests.
The exit code is 1 where memory grows by more than 5 % between the second and the last fifth of the time, where a
descriptor, a connection or a process is left, or more files than there were faults, where a client was told what it
should not have been (a 5xx while nothing was away), or where the server's counts are not those of its clients.
"""

import argparse
import asyncio
import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import aiohttp
import psutil

from benchmarks.soak.clients import Clients, Told
from benchmarks.soak.counts import Counted, differences, reported
from benchmarks.soak.surroundings import Counter, Postgres, Served, served

GRACE = 15.0
"""Seconds behind a fault in which a client may still be told of it."""
GROWS = 1.05


class Faults:
    """What goes away, and when."""

    def __init__(self, server: Served, postgres: Postgres, counter: Counter) -> None:
        self._name, self._until, self.count = "", 0.0, 0
        self._kinds: list[tuple[str, Callable[[], object], Callable[[], object], float]] = [
            ("the engine", server.kill_engine, lambda: None, 0.0),
            ("the database", postgres.stop, postgres.start, 8.0),
            ("the counter of limits", counter.stop, counter.start, 8.0),
        ]

    def away(self) -> str:
        """What is away now or was just before; empty: nothing."""
        return self._name if time.monotonic() < self._until else ""

    async def run(self, every: float, until: float) -> None:
        """One after the other; none begins when too little time is left for its end to be seen."""
        while time.monotonic() + every + 40.0 < until:
            await asyncio.sleep(every)
            name, stop, start, lasts = self._kinds[self.count % len(self._kinds)]
            self._name, self._until = name, time.monotonic() + 120.0
            await asyncio.to_thread(stop)
            await asyncio.sleep(lasts)
            await asyncio.to_thread(start)
            self._until = time.monotonic() + GRACE
            self.count += 1


class Watch:
    """How much memory there is, every two seconds."""

    def __init__(self, server: Served) -> None:
        self._server, self.fronts, self.engines = server, list[float](), list[float]()

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            self.fronts.append(_megabytes(self._server.fronts()))
            self.engines.append(_megabytes(self._server.engines()))
            await asyncio.sleep(2.0)

    def growth(self, of: list[float]) -> tuple[float, float]:
        """The medians of the second and of the last fifth."""
        fifth = max(1, len(of) // 5)
        return statistics.median(of[fifth : 2 * fifth]), statistics.median(of[-fifth:])


def _megabytes(processes: list[psutil.Process]) -> float:
    total = 0
    for each in processes:
        with contextlib.suppress(psutil.Error):
            total += each.memory_info().rss
    return total / 2**20


def held(server: Served) -> dict[str, int]:
    """What an idle server holds open. Files are those of its store of objects."""
    fronts = server.fronts()
    return {
        "processes": len(server.processes()),
        "descriptors": sum(each.num_fds() for each in fronts),
        "threads": sum(each.num_threads() for each in fronts),
        "connections of clients": sum(
            connection.status == psutil.CONN_ESTABLISHED and f":{connection.laddr.port}" in server.url
            for each in fronts
            for connection in each.net_connections("tcp")
        ),
        "files": sum(path.is_file() for path in server.data.rglob("objects/**/*")),
    }


async def settled(session: aiohttp.ClientSession, server: Served) -> Counted:
    """The counts once nothing is under way."""
    until = time.monotonic() + 60.0
    while True:
        counted = await Counted.of(session, server)
        if not +counted.still or time.monotonic() > until:
            await asyncio.sleep(5.0)  # records of use are written behind the replies
            return counted
        await asyncio.sleep(1.0)


async def soak(given: argparse.Namespace, server: Served, postgres: Postgres, counter: Counter) -> list[str]:
    """Run it, and say what was wrong."""
    told, watch, faults = Told(), Watch(server), Faults(server, postgres, counter)

    def client(connector: aiohttp.TCPConnector | None = None) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(120.0))

    async with client() as session:
        await server.ready(session)
        async with client(aiohttp.TCPConnector(force_close=True)) as asking:
            seed = Random(given.seed)
            await Clients(asking, server.url, server.headers, told, seed, faults.away).run(given.clients, 30.0)
            await settled(session, server)
            before = held(server)
            print(f"warm: {before}", flush=True)
            seconds = given.minutes * 60.0
            watching = asyncio.create_task(watch.run())
            failing = asyncio.create_task(faults.run(given.every, time.monotonic() + seconds))
            await Clients(asking, server.url, server.headers, told, seed, faults.away).run(given.clients, seconds)
            watching.cancel()
            await asyncio.wait([watching, failing])
        await server.ready(session)
        counted, after, report = await settled(session, server), held(server), await reported(session, server)
    problems = [*told.problems, *differences(told, counted, report, cut=faults.count > 0)]
    problems += [f"{name}: {value} of an idle server" for name, value in (+counted.still).items()]
    for name, value in after.items():
        # A pool of connections to a database may be fuller than it was, and bytes of a file whose row was lost with
        # the database wait for a sweep.
        slack = {"descriptors": 8 * given.workers, "threads": 8 * given.workers, "files": faults.count}
        if value > before[name] + slack.get(name, 0):
            problems.append(f"{name}: {before[name]} before, {value} afterwards")
    for name, series in (("fronts", watch.fronts), ("engine", watch.engines)):
        early, late = watch.growth(series)
        print(f"memory of the {name}: {early:.0f} MiB, then {late:.0f} MiB ({late / early:.3f})")
        if late > GROWS * early:
            problems.append(f"memory of the {name} grows: {early:.0f} MiB, then {late:.0f} MiB")
    print(f"idle: {after}; {faults.count} faults")
    print(f"{sum(told.statuses.values())} replies: {dict(sorted(told.statuses.items()))}")
    print(f"ends: {dict(sorted(told.ends.items()))}")
    print(f"told while something was away: {dict(told.excused)}")
    return problems


def main(given: argparse.Namespace) -> int:
    """Run it, and tell."""
    with tempfile.TemporaryDirectory(prefix="s-") as name:
        folder = Path(name)
        postgres, counter = Postgres(folder / "pg"), Counter(folder)
        try:
            with served(folder, postgres.url, counter.url, given.workers) as server:
                problems = asyncio.run(soak(given, server, postgres, counter))
                if problems:
                    print(f"the end of its log:\n{server.log.read_text()[-2000:]}")
        finally:
            counter.stop()
            postgres.close()
    for problem in problems[:40]:
        print(f"  {problem}")
    print(f"{len(problems)} problems" if problems else "nothing grew, leaked or was lost, and all counts agree")
    return int(bool(problems))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--every", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    sys.exit(main(parser.parse_args()))
