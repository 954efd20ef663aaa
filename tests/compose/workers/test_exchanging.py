"""Models come and go in several processes that answer: in all of them, or in none."""

import asyncio
import json
import re
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web

from tests.compose.workers.running import HEAD, PATIENCE, Client, Serving, ask, serving, until
from tests.compose.workers.test_workers import lives, two
from tests.engines.remote.fake_llama import REPLY, FakeLlama, fake_llama, held_until
from tests.engines.shallow import shallow_path

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(sys.platform == "win32", reason="signals"),
]

ENDS = re.compile("the models are now|the models stay as they were|the configuration stays as it was")

BASE = 'model = "first"\n[sandbox]\ndriver = "none"\n[prompt_cache]\nkeep = false\n'


@dataclass
class Owner:
    """Who changes the file of settings of a server."""

    folder: Path
    server: Serving

    def script(self, name: str, text: str = "") -> str:
        """A model of its own, as the settings have it, which says its name, or what else it is to say."""
        path = self.folder / f"{name}.toml"
        path.write_text(f'[[reply]]\ntext = "{text or name}"\n')
        return f'[models.{name}]\nsource = "script:{path}"\n'

    def reload(self, *tables: str) -> None:
        """Let the server read this again."""
        (self.folder / "antiphon.toml").write_text("\n".join((BASE, *tables)))
        self.server.kill(number=signal.SIGHUP)

    async def change(self, *tables: str) -> list[str]:
        """The same; what the log has of it when it is done."""
        before = len(self.server.said)
        self.reload(*tables)
        await until(lambda: bool(self.told(ENDS.pattern, before)), "the end of the change")
        return self.told(ENDS.pattern, before)

    def told(self, text: str, since: int = 0) -> list[str]:
        """The lines of the log that have a text."""
        return [line for line in self.server.said[since:] if re.search(text, line)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def owner(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Owner]:
    """Two workers with one model, which all tests have, beside others of their own."""
    folder = tmp_path_factory.mktemp("exchanging")
    made = Owner(folder, None)  # type: ignore[arg-type]
    (folder / "antiphon.toml").write_text(BASE + made.script("first"))
    async with serving("--config", str(folder / "antiphon.toml")) as running:
        made.server = running
        yield made


async def at_both(server: Serving, open_: AsyncExitStack) -> list[Client]:
    """Four connections at once: of so many each of the two workers has some."""
    await until(lambda: server.lost == server.back, "both workers")
    clients: list[Client] = []
    for _ in range(4):
        async with asyncio.timeout(PATIENCE):
            clients.append(Client(*await asyncio.open_connection("127.0.0.1", server.port)))
        open_.callback(clients[-1].writer.close)
    return clients


def asker(server: Serving, request: web.Request) -> int:
    """The worker that asks an engine this."""
    assert request.transport is not None
    port = request.transport.get_extra_info("peername")[1]
    return server.worker_at(lambda each: each.laddr.port == port)


async def got(client: Client, sent: bytes) -> tuple[int, bytes]:
    """Status and body that come of these bytes."""
    client.writer.write(sent)
    async with asyncio.timeout(PATIENCE):
        head = (await client.reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = re.search(r"content-length: (\d+)", head)
        assert length is not None, head
        return int(head.split()[1]), await client.reader.readexactly(int(length[1]))


async def says(client: Client, model: str) -> str | int:
    """What a model says, or the status of its error."""
    body = json.dumps({**ask("Hi", max_tokens=30, stream=False), "model": model}).encode()
    head = f"{HEAD}content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    status, reply = await got(client, head.encode() + body)
    return json.loads(reply)["content"][0]["text"] if status == 200 else status


async def served(server: Serving) -> list[set[str]]:
    """The different lists of its own models that the workers have; each of them is ready to answer."""
    found: list[set[str]] = []
    async with AsyncExitStack() as open_:
        for client in await at_both(server, open_):
            assert (await got(client, get("/readyz")))[0] == 200
            _, listed = await got(client, get("/v1/models?limit=1000"))
            names = {one["id"] for one in json.loads(listed)["data"] if not one["id"].startswith("claude")}
            found += [] if names in found else [names]
    return found


def get(path: str) -> bytes:
    """A request for what is there."""
    return HEAD.replace("POST /v1/messages", f"GET {path}").encode() + b"\r\n"


def at(fake: FakeLlama, name: str) -> str:
    """A model in somebody else's engine, as the settings have it."""
    return f'[models.{name}]\nurls = ["{fake.url.replace("127.0.0.1", "localhost")}"]\n'


@pytest.mark.promise("reload.workers-models", "reload.loses-nothing", "reload.models-go", "reload.models-names")
async def test_all_workers_go_over_and_a_model_that_goes_ends_behind_the_last_stream_of_all(owner: Owner):
    ends = asyncio.Event()
    async with AsyncExitStack() as open_:
        fake = await open_.enter_async_context(fake_llama())
        assert len(await owner.change(owner.script("first"), at(fake, "old"))) == 1
        assert await served(owner.server) == [{"first", "old"}]
        fake.fault = held_until(ends)
        streams = await at_both(owner.server, open_)
        for client in streams:
            client.send({**ask("Hi"), "model": "old"})
            await client.until(b"text_delta")
        since = len(owner.server.said)
        (line,) = await owner.change(owner.script("first"), owner.script("new"), '[routes]\nclaude-opus-4-8 = "new"')
        assert "the models are now first, new (new: new; served no more: old)" in line
        assert await served(owner.server) == [{"first", "new"}]
        for client in await at_both(owner.server, open_):
            names = ("new", "claude-opus-4-8", "claude-haiku-4-5", "old")
            assert [await says(client, name) for name in names] == ["new", "new", "first", 404]
        ended = "model old, which is served no more, has ended"
        assert owner.told(ended, since) == []
        ends.set()
        for client in streams:
            assert REPLY.encode() in await client.until(b"message_stop")
        await until(lambda: bool(owner.told(ended, since)), "its end")
    assert len(owner.told(ended, since)) == 1


@pytest.mark.promise("reload.workers-models", "reload.models-fail", "reload.wrong-file", "workers.bounds")
async def test_what_one_worker_cannot_serve_is_served_by_none_and_told_once(owner: Owner):
    asked: dict[int, int] = {}

    async def by_one(request: web.Request) -> web.StreamResponse:
        worker = asker(owner.server, request)
        asked[worker] = asked.get(worker, 0) + 1
        if worker != next(iter(asked)):
            return web.json_response({"error": {"code": 500, "message": "Not for you."}}, status=500)
        return await fake.answer(request)

    good = (owner.script("first"), owner.script("good"))
    await owner.change(*good)
    async with fake_llama() as fake:
        fake.stand_in.answer = by_one
        since = len(owner.server.said)
        (line,) = await owner.change(owner.script("first"), owner.script("fine"), at(fake, "theirs"))
        assert "the models stay as they were: model theirs: " in line
        assert len(asked.keys() - {0}) == 2
        assert await served(owner.server) == [{"first", "good"}]
        few = at(fake, "theirs") + "endpoint_parallel = 1\n"
        (line,) = await owner.change(*good, few)
        assert "stays as it was: models.theirs.endpoint_parallel is 1, and each of 2 workers needs 1" in line
    assert len(owner.told("Not for you|theirs: ", since)) == 1
    await owner.change(*good, owner.script("fine"))
    assert await served(owner.server) == [{"first", "good", "fine"}]


@pytest.mark.promise("reload.workers-replaced")
async def test_a_worker_that_is_killed_meanwhile_comes_back_with_what_the_others_serve(owner: Owner):
    coming, goes_on = set[int](), asyncio.Event()
    await owner.change(owner.script("first"), owner.script("old"))
    async with fake_llama() as fake:

        async def later(request: web.Request) -> web.StreamResponse:
            if request.path == "/completion":
                coming.add(asker(owner.server, request))
                await goes_on.wait()
            return await fake.answer(request)

        fake.stand_in.answer = later
        killed = min(await two(owner.server))
        since = len(owner.server.said)
        owner.reload(owner.script("first"), at(fake, "theirs"))
        await until(lambda: len(coming) == 2, "both workers")
        owner.server.kill(killed)
        await until(lambda: len(coming) == 3, "the worker in its place")
        assert owner.told(ENDS.pattern, since) == []
        goes_on.set()
        await until(lambda: bool(owner.told(ENDS.pattern, since)), "the end of the change")
        assert "the models are now first, theirs" in owner.told(ENDS.pattern, since)[0]
        assert await served(owner.server) == [{"first", "theirs"}]
        await owner.change(owner.script("first"))


@pytest.mark.promise("reload.workers-one-engine", "workers.one-engine", "reload.workers-replaced")
async def test_a_real_model_comes_once_for_all_workers_and_ends_with_the_last_stream(owner: Owner):
    table = f'[models.real]\nsource = "{shallow_path()}"\nparallel = 2\ncontext = 2048\n'
    await owner.change(owner.script("first"), table)
    (engine,) = owner.server.engines()
    assert await served(owner.server) == [{"first", "real"}]
    owner.server.kill((await two(owner.server)).pop())
    await until(lambda: owner.server.lost > owner.server.back, "the loss of a worker")
    assert await served(owner.server) == [{"first", "real"}]  # the next one has known no other models
    since = len(owner.server.said)
    await owner.change(owner.script("first"), table.replace("2048", "1024"))
    ended = "model real, which is served no more, has ended"
    await until(lambda: len(owner.told(ended, since)) == 1, "its end")
    assert not lives(engine)
    (engine,) = owner.server.engines()
    async with AsyncExitStack() as open_:
        streams = await at_both(owner.server, open_)
        for client in streams:
            client.send({**ask("Write a long story about the sea.", max_tokens=80), "model": "real"})
            await client.until(b"text_delta")
        await owner.change(owner.script("first"))
        assert not any([await client.is_cut() for client in streams])
        assert not any(b"event: error" in client.came for client in streams)
    await until(lambda: len(owner.told(ended, since)) == 2, "its end")
    assert not lives(engine)
    assert await served(owner.server) == [{"first"}]
