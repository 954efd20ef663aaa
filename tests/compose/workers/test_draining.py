"""An engine that is taken out of service: every worker heeds it, and loses no stream."""

import asyncio
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from antiphon.stores.drains import Drains
from tests.compose.workers.running import Client, Serving, ask, serving, until
from tests.engines.remote.fake_llama import REPLY, fake_llama, held_until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals, file locks")


async def one_each(server: Serving, open_: AsyncExitStack) -> dict[int, Client]:
    """A connection to each of two workers."""
    await until(lambda: len(server.workers()) == 2, "two workers")
    found: dict[int, Client] = {}
    while len(found) < 2:
        client = await open_.enter_async_context(server.connect())
        found.setdefault(client.worker, client)
    return found


@pytest.mark.promise("pool.draining")
async def test_every_worker_gives_a_drained_engine_nothing_new_and_finishes_what_it_has(tmp_path: Path):
    ends = asyncio.Event()

    owner = Drains(tmp_path / "antiphon" / "drained")
    async with AsyncExitStack() as open_:
        fake = await open_.enter_async_context(fake_llama())
        # Another name than the server's own, whose address is looked for in what it says.
        url = fake.url.replace("127.0.0.1", "localhost")
        server = await open_.enter_async_context(serving("--url", url, env={"XDG_STATE_HOME": str(tmp_path)}))
        fake.fault = held_until(ends)
        streams = await one_each(server, open_)
        for client in streams.values():
            client.send(ask("Hi"))
            await client.until(b"text_delta")
        owner.change(url, drain=True)
        await until(lambda: sum("is drained" in line for line in server.said) == 2, "the word of both")
        assert owner.is_held(url)
        assert [await status(client) for client in (await one_each(server, open_)).values()] == [529, 529]
        ends.set()
        for client in streams.values():
            assert REPLY.encode() in await client.until(b"message_stop")
        await until(lambda: not owner.is_held(url), "nobody who works there")
        fake.fault = None
        owner.change(url, drain=False)
        await until(lambda: sum("in service again" in line for line in server.said) == 2, "the word of both")
        assert [await status(client) for client in (await one_each(server, open_)).values()] == [200, 200]


async def status(client: Client) -> int:
    """That of a further reply."""
    client.send(ask("Hello", max_tokens=1, stream=False))
    return int((await client.until(b"\r\n")).split()[1])
