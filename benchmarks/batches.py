"""What batches cost: their rate against the same requests sent one by one, what they take from those that somebody
waits for, and what it takes to take in a large one.

    python -m benchmarks.batches [--rows 2000] [--large 100000] [--rounds 20]

Of one server on the scripted engine, in one run:

- the rate of a batch of `--rows` requests, over that of the same requests sent 16 at a time;
- the median time to the first words of a stream, one after the other, beside a running batch, over that without one;
- seconds and growth of memory while a batch of `--large` requests, 256 MB at most, is created.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import aiohttp
import psutil

from benchmarks.load import HEADERS, Server, stream_once

AT_ONCE: Final = 16
MODEL: Final = "claude-opus-4-8"
PATH: Final = "/v1/messages/batches"
SCRIPT: Final = """
[[reply]]
match = "^wait"
text = "One two three four five six seven eight."
prefill_ms = 40
chunk_delay_ms = 10

[[reply]]
text = "One two three four five six seven eight."
"""
LARGE_ROW: Final = 2_400
"""Characters in a request of the large batch, about: together as many bytes as a batch may have."""


def params(text: str, **more: Any) -> dict[str, Any]:
    """A request."""
    return {"model": MODEL, "max_tokens": 50, "messages": [{"role": "user", "content": text}], **more}


async def online(session: aiohttp.ClientSession, url: str, texts: list[str]) -> float:
    """Requests a second, so many at a time."""
    waiting = iter(texts)

    async def work() -> None:
        for text in waiting:
            async with session.post(f"{url}/v1/messages", json=params(text), headers=HEADERS) as reply:
                assert reply.status == 200, await reply.text()
                await reply.read()

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return len(texts) / (time.perf_counter() - began)


async def create(session: aiohttp.ClientSession, url: str, texts: list[str]) -> str:
    """The id of a new batch."""
    requests = [{"custom_id": f"id-{number}", "params": params(text)} for number, text in enumerate(texts)]
    async with session.post(url + PATH, json={"requests": requests}, headers=HEADERS) as reply:
        assert reply.status == 200, await reply.text()
        return (await reply.json())["id"]


async def end(session: aiohttp.ClientSession, url: str, batch: str) -> dict[str, Any]:
    """The batch once it has ended."""
    while True:
        async with session.get(f"{url}{PATH}/{batch}", headers=HEADERS) as reply:
            found = await reply.json()
        if found["processing_status"] == "ended":
            return found
        await asyncio.sleep(0.05)


async def batched(session: aiohttp.ClientSession, url: str, texts: list[str]) -> float:
    """Requests a second in a batch, from its creation to its end."""
    began = time.perf_counter()
    ended = await end(session, url, await create(session, url, texts))
    seconds = time.perf_counter() - began
    assert ended["request_counts"]["succeeded"] == len(texts), ended
    return len(texts) / seconds


async def first_words(session: aiohttp.ClientSession, url: str, rounds: int) -> float:
    """Median seconds to the first words of a stream; the streams come one after the other."""
    found = [await stream_once(session, url, params(f"wait {n}", stream=True)) for n in range(rounds)]
    return statistics.median(stream.ttft for stream in found)


async def large(session: aiohttp.ClientSession, server: Server, rows: int) -> tuple[float, int, int]:
    """Seconds, the most bytes that the server's memory grew by, and the bytes that were sent."""
    sent = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        held = b'{"requests":['
        row = b'{"custom_id":"id-%%d","params":%b}' % json.dumps(params("x" * LARGE_ROW)).encode()
        for number in range(rows):
            held += (b"," if number else b"") + row % number
            if len(held) > 1 << 18:
                sent += len(held)
                yield held
                held = b""
        sent += len(held) + 2
        yield held + b"]}"

    process = psutil.Process(server.process.pid)
    before = most = process.memory_info().rss
    headers = {**HEADERS, "content-type": "application/json"}
    began = time.perf_counter()

    async def post() -> str:
        async with session.post(server.url + PATH, data=body(), headers=headers) as reply:
            assert reply.status == 200, await reply.text()
            return (await reply.json())["id"]

    creating = asyncio.create_task(post())
    while not creating.done():
        await asyncio.wait((creating,), timeout=0.05)
        most = max(most, process.memory_info().rss)
    seconds = time.perf_counter() - began
    async with session.post(f"{server.url}{PATH}/{creating.result()}/cancel", headers=HEADERS) as reply:
        assert reply.status == 200
    return seconds, most - before, sent


async def main(given: argparse.Namespace) -> None:
    """Measure, and print."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "script.toml"
        script.write_text(SCRIPT)
        os.environ |= {"ANTIPHON_THINKING_KEYS": "k" * 43, "ANTIPHON_SERVER_TOOLS_DEFAULTS": "false"}
        if given.database:
            os.environ["ANTIPHON_STORES_DATABASE"] = given.database
        data = str(Path(folder) / "data")
        arguments = ("serve", "--port", "0", "--model", f"script:{script}", "--data", data)
        server = await Server.start("antiphon", "-m", "antiphon", *arguments, said=b"answers at")
        connector = aiohttp.TCPConnector(limit=0)
        try:
            async with aiohttp.ClientSession(connector=connector, read_bufsize=2**20) as session:
                await measure(session, server, given)
        finally:
            await server.stop()


async def measure(session: aiohttp.ClientSession, server: Server, given: argparse.Namespace) -> None:
    """The three figures of a server."""
    url = server.url
    texts = [f"Say {number}" for number in range(given.rows)]
    await online(session, url, texts[:200])
    alone = [await online(session, url, texts)]
    together = [await batched(session, url, texts)]
    alone.append(await online(session, url, texts))
    together.append(await batched(session, url, texts))
    one, other = statistics.mean(alone), statistics.mean(together)
    print(
        f"{given.rows} requests, {AT_ONCE} at a time: {one:.0f}/s; in a batch: {other:.0f}/s, {other / one:.2f} of it"
    )

    waited = [f"wait {number}" for number in range(10 * given.rows)]
    without = await first_words(session, url, given.rounds)
    batch = await create(session, url, waited)
    beside = await first_words(session, url, given.rounds)
    async with session.post(f"{url}{PATH}/{batch}/cancel", headers=HEADERS) as reply:
        assert reply.status == 200
    done = (await end(session, url, batch))["request_counts"]["succeeded"]
    assert 0 < done < len(waited), done
    print(
        f"first words: {1000 * without:.1f} ms; beside a batch: {1000 * beside:.1f} ms, {beside / without:.2f} of it"
    )

    seconds, grown, sent = await large(session, server, given.large)
    print(f"{given.large} requests, {sent / 1e6:.0f} MB: created in {seconds:.1f} s, memory grew {grown >> 20} MiB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--large", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--database", help="URL of a PostgreSQL, in place of the server's own file.")
    sys.exit(asyncio.run(main(parser.parse_args())))
