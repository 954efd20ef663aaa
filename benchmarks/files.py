"""What a file of 500 MB takes of the server, in and out; `python -m benchmarks.files`.

The server is `antiphon serve` on the scripted engine, in a process of its own. A file that can be downloaded is put
beside it into its stores, as tools put theirs.
"""

import argparse
import asyncio
import hashlib
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import aiohttp
import psutil

from antiphon.compose.edges import SystemClock
from antiphon.service.files.files import Files
from antiphon.stores.objects import Objects
from antiphon.stores.sql.database import Database
from antiphon.stores.sql.files import SqlFiles
from antiphon.testing import CountingEntropy
from benchmarks.load import HEADERS

MIB = 1024 * 1024
PIECE = bytes(range(256)) * 256
EVERY = 0.02
BOUNDARY = "a-boundary"
_URL = re.compile(rb"answers at (http://127\.0\.0\.1:\d+)")


async def pieces(size: int) -> AsyncIterator[bytes]:
    """So many bytes."""
    for _ in range(size // len(PIECE)):
        yield PIECE


async def form(size: int) -> AsyncIterator[bytes]:
    """A form with a file of so many bytes."""
    yield f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'.encode()
    async for piece in pieces(size):
        yield piece
    yield f"\r\n--{BOUNDARY}--\r\n".encode()


async def serve(folder: Path) -> tuple[asyncio.subprocess.Process, str]:
    """A server that keeps its files there, and its URL."""
    script = folder / "script.toml"
    script.write_text("[[reply]]\ntext = 'Hello.'\n")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "antiphon", "serve", "--port", "0", "--model", f"script:{script}"),
        *("--data", str(folder / "data"), "--log-level", "warning"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    async for line in process.stdout:
        if match := _URL.search(line):
            return process, match[1].decode()
    raise AssertionError("the server ended")


async def measured(pid: int, what: str, size: int, work: Callable[[], Awaitable[None]]) -> None:
    """Do the work, and print how fast it was and by how much the server grew meanwhile."""
    server = psutil.Process(pid)
    before, most = server.memory_info().rss, 0

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, server.memory_info().rss)
            await asyncio.sleep(EVERY)

    watching = asyncio.create_task(watch())
    began = time.perf_counter()
    await work()
    seconds = time.perf_counter() - began
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    print(
        f"{what}: {size / MIB:.0f} MiB in {seconds:.1f} s ({size / MIB / seconds:.0f} MiB/s); "
        f"the server grew from {before / MIB:.0f} to {most / MIB:.0f} MiB, by {(most - before) / MIB:.0f}"
    )


async def main(size: int, at_once: int) -> None:
    """Upload and download, one file and then several at once."""
    with tempfile.TemporaryDirectory(prefix="antiphon-bench-") as name:
        folder = Path(name)
        process, url = await serve(folder)
        try:
            async with aiohttp.ClientSession(url, headers=HEADERS, timeout=aiohttp.ClientTimeout(None)) as client:

                async def upload() -> None:
                    kind = f"multipart/form-data; boundary={BOUNDARY}"
                    async with client.post("/v1/files", data=form(size), headers={"content-type": kind}) as answer:
                        assert (await answer.json())["size_bytes"] == size

                async with client.get("/v1/files") as answer:
                    tenant = answer.headers["anthropic-workspace-id"]
                data = folder / "data"
                database = await Database.open(f"sqlite:///{data / 'antiphon.db'}")
                objects = Objects.open((data / "objects").as_uri())
                files = Files.over(SqlFiles(database), objects, SystemClock(), CountingEntropy())
                made = await files.uploads.make(tenant, "made.bin", "", pieces(size))
                await database.aclose()

                async def download() -> None:
                    digest = hashlib.sha256()
                    async with client.get(f"/v1/files/{made.id}/content") as answer:
                        async for chunk in answer.content.iter_chunked(MIB):
                            digest.update(chunk)
                    assert digest.hexdigest() == made.digest

                async def several(one: Callable[[], Awaitable[None]]) -> None:
                    await asyncio.gather(*(one() for _ in range(at_once)))

                await measured(process.pid, "upload", size, upload)
                await measured(process.pid, "download", size, download)
                await measured(process.pid, f"{at_once} uploads", at_once * size, lambda: several(upload))
                await measured(process.pid, f"{at_once} downloads", at_once * size, lambda: several(download))
        finally:
            process.terminate()
            await process.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=500, help="size of the file")
    parser.add_argument("--at-once", type=int, default=4, help="how many at once, in the end")
    given = parser.parse_args()
    asyncio.run(main(given.mib * MIB, given.at_once))
