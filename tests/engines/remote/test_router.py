"""vllm-router in front of two llama-servers that somebody else runs: the real thing, at one URL."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack

import aiohttp
import pytest
import pytest_asyncio

from antiphon.engines.remote.agreement import Wishes
from antiphon.engines.remote.connection import Access, Connection
from antiphon.engines.remote.engine import RemoteEngine
from antiphon.engines.remote.llama_server import LlamaServer
from antiphon.engines.remote.routers import engines_behind
from antiphon.errors import EngineFault
from antiphon.ports.engine import Done, Generation
from tests.engines.implementations import GREEDY, ask, begin, text
from tests.engines.remote.fake_llama import fake_llama
from tests.engines.remote.several import KEY, SOON, Several, over, several
from tests.engines.remote.stand_in import says
from tests.engines.router import ForeignRouter, needs_router

pytestmark = [pytest.mark.asyncio(loop_scope="module"), needs_router]

TOPICS = ["sea", "sky", "tree", "stone", "bread", "river"]
PLACES = 2
PATIENCE = 120.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def servers() -> AsyncGenerator[Several]:
    """Two servers; a test that kills one starts it again."""
    async with several(2, window=1024, parallel=PLACES) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def router(servers: Several) -> AsyncGenerator[ForeignRouter]:
    """A router in front of them."""
    made = await ForeignRouter.start(servers.urls, KEY)
    yield made
    await made.kill()


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait until it holds; what happens, happens in other processes."""
    while not await holds():  # noqa: ASYNC110
        await asyncio.sleep(0.05)


async def idle(servers: Several) -> bool:
    """Whether no server works."""
    return not any([await servers.busy(number) for number in (0, 1)])


@pytest.mark.promise("pool.router")
async def test_the_turns_of_a_conversation_reach_one_engine_and_conversations_spread(
    servers: Several, router: ForeignRouter
):
    del servers
    async with asyncio.timeout(PATIENCE), over([router.url]) as (engine, _):
        spared: list[bool] = []
        for topic in TOPICS:
            said = ""
            for turn in range(3):
                prompt = await ask(engine, f"Tell me of the {topic}. " * 12, said)
                work = Generation(prompt, 4, GREEDY, conversation=topic)
                outputs = [output async for output in engine.generate(work)]
                said += text(outputs)
                assert isinstance(outputs[-1], Done)
                if turn:
                    spared.append(outputs[-1].cached_tokens > 50)
        assert all(spared)
    workers = await _works(router)
    assert len(workers) == 2, "both had some"


async def _works(router: ForeignRouter) -> Counter[str]:
    """Sessions that reach each engine, by the router's own choice: asked with the same names."""
    connection = Connection(Access(router.url, KEY))
    try:
        at = Counter[str]()
        for topic in TOPICS:
            said = await connection.get("/props", headers={"x-session-id": topic})
            at[str(said["media_marker"])] += 1
        return at
    finally:
        await connection.aclose()


async def test_what_is_behind_a_router_is_found_out(router: ForeignRouter):
    async with asyncio.timeout(PATIENCE), over([router.url]) as (engine, _):
        findings = engine.members[0].findings
        assert findings is not None
        rows = {row.subject: row for row in findings.rows}
        assert rows["router"].holds
        assert "2 servers" in rows["router"].says
        assert findings.places == 2 * PLACES
        # Each look is at another of them, and none is taken for another model.
        for _ in range(6):
            trace = await engine.members[0].endpoint.trace()
            assert trace == engine.members[0].trace
        assert engine.members[0].up


@pytest.mark.promise("pool.router-grows")
async def test_engines_that_come_and_go_behind_a_router_are_counted_again():
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(asyncio.timeout(PATIENCE))
        fakes = [await stack.enter_async_context(fake_llama()) for _ in range(3)]
        router = await ForeignRouter.start([fake.url for fake in fakes[:2]], KEY)
        stack.push_async_callback(router.kill)
        endpoint = LlamaServer(Connection(Access(router.url)), recount=SOON)
        engine = RemoteEngine(Wishes("m"), [endpoint], interval=SOON)
        stack.push_async_callback(engine.aclose)
        await engine.start()
        member = engine.members[0]
        session = await stack.enter_async_context(aiohttp.ClientSession())

        async def counted(engines: int) -> None:
            while member.findings is None or member.findings.places != 4 * engines:  # noqa: ASYNC110
                await asyncio.sleep(SOON)

        await counted(2)
        await session.post(f"{router.url}/add_worker", params={"url": fakes[2].url})
        await counted(3)
        await session.post(f"{router.url}/remove_worker", params={"url": fakes[0].url})
        await counted(2)
        fakes[1].sick = says(503, {})
        await counted(1)
        assert member.up


async def test_a_llama_server_alone_is_no_router(servers: Several):
    connection = Connection(Access(servers.urls[0], KEY))
    try:
        assert await engines_behind(connection) == 0
    finally:
        await connection.aclose()


@pytest.mark.promise("engine.cancel")
async def test_hanging_up_reaches_the_engine_behind_the_router(servers: Several, router: ForeignRouter):
    async with asyncio.timeout(PATIENCE), over([router.url]) as (engine, _):
        stream = await begin(engine, await ask(engine, "Write a long story about the sea."), 900)
        assert not await idle(servers)
        await stream.aclose()
        left = asyncio.get_running_loop().time()
        await until(lambda: idle(servers))
        assert asyncio.get_running_loop().time() - left < 10


@pytest.mark.promise("pool.loss")
async def test_an_engine_that_dies_behind_the_router_ends_its_own_stream_and_the_rest_goes_on(
    servers: Several, router: ForeignRouter
):
    async with asyncio.timeout(PATIENCE), over([router.url]) as (engine, _):
        prompt = await ask(engine, "Write a long story about the sea.")
        stream = await begin(engine, prompt, 900)
        at = [await servers.busy(number) for number in (0, 1)]
        killed = at.index(1)
        await servers.kill(killed)
        with pytest.raises(EngineFault):
            async for _ in stream:
                pass
        await until(lambda: router.sees(1))
        for topic in TOPICS:
            work = Generation(prompt, 1, GREEDY, conversation=topic)
            async with asyncio.timeout(PATIENCE):
                assert [output async for output in engine.generate(work)]
        await servers.start(killed)
        await until(lambda: router.sees(2))


async def test_engines_that_are_not_alike_behind_one_router_are_refused(servers: Several):
    await servers.kill(1)
    await servers.start(1, window=512)
    router = await ForeignRouter.start(servers.urls, KEY)
    try:
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(EngineFault, match="the 2 servers behind it are not alike"):
                async with over([router.url]):
                    pass
    finally:
        await router.kill()
        await servers.kill(1)
        await servers.start(1)
