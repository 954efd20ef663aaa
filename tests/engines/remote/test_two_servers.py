"""Two llama-servers that somebody else runs, in one pool: the real thing."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from itertools import pairwise
from pathlib import Path

import pytest
import pytest_asyncio

from antiphon.engines.remote.engine import RemoteEngine
from antiphon.errors import EngineDied
from antiphon.ports.engine import Done, EngineOutput, Generation, Piece
from antiphon.stores.drains import Drains
from tests.engines.implementations import GREEDY, ask, begin, closing, text
from tests.engines.remote.several import Several, Watched, over, several

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOPICS = [
    "sea",
    "sky",
    "tree",
    "stone",
    "bread",
    "river",
    "glass",
    "lamp",
    "wolf",
    "rain",
    "snow",
    "horse",
    "coin",
    "door",
    "hand",
    "ship",
    "moon",
    "road",
    "wool",
    "salt",
]
TURNS = 5
PATIENCE = 120.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def servers() -> AsyncGenerator[Several]:
    """Two servers; a test that kills one starts it again."""
    async with several(2, window=1024, parallel=4) as made:
        yield made


async def until(holds: Callable[[], bool]) -> None:
    """Wait until it holds; what happens, happens in other processes."""
    while not holds():  # noqa: ASYNC110
        await asyncio.sleep(0.05)


async def one_turn(engine: RemoteEngine, topic: str, said: str) -> tuple[str, list[EngineOutput]]:
    prompt = await ask(engine, f"Tell me of the {topic}. " * 12, said)
    work = Generation(prompt, 4, GREEDY, conversation=topic)
    outputs = [output async for output in engine.generate(work)]
    return said + text(outputs) + " And more. ", outputs


async def talk(engine: RemoteEngine, topic: str, talking: asyncio.Semaphore) -> list[int]:
    """A conversation; how much of each later turn's prompt was not read anew."""
    said, cached = "", list[int]()
    for _ in range(TURNS):
        async with talking:
            said, outputs = await one_turn(engine, topic, said)
        assert isinstance(outputs[-1], Done)
        cached.append(outputs[-1].cached_tokens)
    return cached[1:]


@pytest.mark.promise("pool.affinity", "pool.even")
async def test_twenty_conversations_come_back_to_the_endpoint_that_has_read_them(servers: Several):
    talking = asyncio.Semaphore(4)  # people think before they go on
    async with asyncio.timeout(PATIENCE * 2), over(servers.urls) as (engine, endpoints):
        cached = await asyncio.gather(*(talk(engine, topic, talking) for topic in TOPICS))
    at = [[work.conversation for work in endpoint.works] for endpoint in endpoints]
    order = {topic: _places(endpoints, topic) for topic in TOPICS}
    later = [one == before for places in order.values() for before, one in pairwise(places)]
    assert len(later) == len(TOPICS) * (TURNS - 1)
    assert sum(later) >= 0.95 * len(later)
    assert max(map(len, at)) <= 1.25 * sum(map(len, at)) / 2
    spared = [tokens > 50 for turns in cached for tokens in turns]
    assert sum(spared) >= 0.9 * len(spared), "and these do have it: what they read is not read anew"


def _places(endpoints: list[Watched], topic: str) -> list[int]:
    """Where each turn of a conversation was, in order: its prompts grow."""
    turns = [
        (len(work.prompt.tokens), number)
        for number, endpoint in enumerate(endpoints)
        for work in endpoint.works
        if work.conversation == topic
    ]
    return [number for _, number in sorted(turns)]


@pytest.mark.promise("pool.draining")
async def test_a_server_that_is_drained_loses_no_stream_and_works_again_when_it_is_put_back(
    servers: Several, tmp_path: Path
):
    owner, out = Drains(tmp_path / "drained"), servers.urls[0]
    async with (
        asyncio.timeout(PATIENCE),
        over(servers.urls, drains=Drains(tmp_path / "drained")) as (engine, endpoints),
    ):
        prompts = [await ask(engine, f"Write a long story about the {topic}.") for topic in TOPICS[:4]]
        streams = [await begin(engine, prompt, 160) for prompt in prompts]
        had = [len(endpoint.works) for endpoint in endpoints]
        assert had == [2, 2]
        owner.change(out, drain=True)
        await until(lambda: engine.members[0].drained)
        assert owner.is_held(out)
        for number in range(4):
            work = Generation(prompts[number], 1, GREEDY, conversation=f"new {number}")
            assert [output async for output in engine.generate(work)]
        assert [len(endpoint.works) for endpoint in endpoints] == [2, 6]
        assert await asyncio.gather(*map(_rest, streams)) == ["done"] * 4
        await until(lambda: not owner.is_held(out))
        owner.change(out, drain=False)
        await until(lambda: not engine.members[0].drained)
        for number in range(4):
            work = Generation(prompts[number], 1, GREEDY, conversation=f"later {number}")
            assert [output async for output in engine.generate(work)]
        assert len(endpoints[0].works) > 2


@pytest.mark.promise("pool.loss", "pool.return")
async def test_a_server_that_is_killed_ends_its_own_streams_only_and_is_used_again_when_it_is_back(servers: Several):
    async with asyncio.timeout(PATIENCE), over(servers.urls) as (engine, endpoints):
        prompts = [await ask(engine, f"Write a long story about the {topic}.") for topic in TOPICS[:4]]
        streams = [await begin(engine, prompt, 160) for prompt in prompts]
        had = [len(endpoint.works) for endpoint in endpoints]
        assert had == [2, 2]
        await servers.kill(0)
        ends = await asyncio.gather(*map(_rest, streams))
        assert Counter(ends) == {"died": 2, "done": 2}
        new = [output async for output in engine.generate(Generation(prompts[0], 3, GREEDY, conversation="new"))]
        assert isinstance(new[-1], Done)
        assert len(endpoints[0].works) == 2
        await servers.start(0)
        await until(lambda: engine.members[0].up)
        for number in range(4):
            work = Generation(prompts[0], 1, GREEDY, conversation=f"later {number}")
            assert [output async for output in engine.generate(work)]
        assert len(endpoints[0].works) > 2


async def _rest(stream: AsyncGenerator[EngineOutput]) -> str:
    async with closing(stream):
        try:
            async for output in stream:
                if isinstance(output, Done):
                    return "done"
        except EngineDied:
            return "died"
    raise AssertionError("a stream without an end")


@pytest.mark.promise("pool.loss")
async def test_with_all_servers_gone_one_is_told_and_the_first_that_is_back_is_used(servers: Several):
    async with asyncio.timeout(PATIENCE), over(servers.urls) as (engine, _):
        prompt = await ask(engine, "Say OK.")
        for number in (0, 1):
            await servers.kill(number)
        await until(lambda: not any(member.up for member in engine.members))
        assert not (await engine.health()).ready
        await servers.start(1)
        await until(lambda: engine.members[1].up)
        pieces = [output async for output in engine.generate(Generation(prompt, 3, GREEDY))]
        assert any(isinstance(output, Piece) for output in pieces)
        await servers.start(0)


@pytest.mark.promise("pool.return")
async def test_a_server_that_comes_back_with_less_than_was_promised_stays_out(servers: Several):
    async with asyncio.timeout(PATIENCE), over(servers.urls) as (engine, endpoints):
        prompt = await ask(engine, "Say OK.")
        await servers.kill(0)
        await servers.start(0, window=512)
        await until(lambda: "window" in engine.members[0].detail)
        for number in range(4):
            work = Generation(prompt, 1, GREEDY, conversation=str(number))
            assert [output async for output in engine.generate(work)]
        assert (len(endpoints[0].works), len(endpoints[1].works)) == (0, 4)
        await servers.kill(0)
        await servers.start(0)
