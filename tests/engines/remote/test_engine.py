"""One model at many URLs: what is refused at the start, who answers, and what becomes of those that are lost."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack

import pytest

from antiphon.dialogue.rendered import RenderedPrompt, Segment
from antiphon.engines.remote.agreement import Wishes
from antiphon.engines.remote.connection import Access, Connection
from antiphon.engines.remote.endpoint import Findings
from antiphon.engines.remote.engine import RemoteEngine
from antiphon.engines.remote.llama_server import LlamaServer
from antiphon.errors import EngineDied, EngineFault, EngineFull, EngineRefused, EngineUnavailable
from antiphon.ports.engine import Done, EngineOutput, Generation, Piece, PrefillProgress
from tests.engines.remote.fake_llama import REPLY, FakeLlama, event, fake_llama
from tests.engines.remote.stand_in import Answer, hangs_up, says, streams

INTERVAL = 0.01
PATIENCE = 20.0


class Room:
    """Makes fakes and engines over them, and ends them all."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack
        self.told: dict[str, Findings] = {}

    async def fakes(self, count: int) -> list[FakeLlama]:
        return [await self._stack.enter_async_context(fake_llama()) for _ in range(count)]

    def engine(
        self, *urls: str, wishes: Wishes | None = None, limit: int = 0, interval: float = INTERVAL
    ) -> RemoteEngine:
        made = RemoteEngine(
            wishes or Wishes("tiny"),
            [LlamaServer(Connection(Access(url, silence=5))) for url in urls],
            limit=limit or None,
            told=self.told.__setitem__,
            interval=interval,
        )
        self._stack.push_async_callback(made.aclose)
        return made


@pytest.fixture
async def room() -> AsyncGenerator[Room]:
    async with AsyncExitStack() as stack:
        yield Room(stack)


async def ask(engine: RemoteEngine, limit: int = 100, say: str = "Hi") -> list[EngineOutput]:
    segments = (Segment("<|user|>"), Segment(say, markup=False), Segment("</s><|model|>"))
    prompt = RenderedPrompt(segments, await engine.tokenize(segments))
    async with asyncio.timeout(PATIENCE):
        return [output async for output in engine.generate(Generation(prompt, limit))]


def text(outputs: list[EngineOutput]) -> str:
    return "".join(output.text for output in outputs if isinstance(output, Piece))


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(INTERVAL)


def up(engine: RemoteEngine) -> list[bool]:
    return [member.up for member in engine.members]


async def test_what_is_found_makes_the_card(room: Room):
    (fake,) = await room.fakes(1)
    engine = room.engine(fake.url, wishes=Wishes("tiny", context=1000))
    await engine.start()
    assert (engine.card.id, engine.card.name, engine.card.window) == ("tiny", "fake", 1000)
    assert engine.card.special_tokens == {"<s>", "</s>", "<|user|>", "<|model|>"}
    assert [row.subject for row in room.told[fake.url].rows if row.holds] == [
        *("window", "chat template", "vocabulary", "grammars", "control tokens", "stop texts", "reading", "cache"),
    ]
    outputs = await ask(engine)
    assert text(outputs) == REPLY
    assert isinstance(outputs[0], PrefillProgress)
    assert isinstance(outputs[-1], Done)


async def test_without_a_token_to_write_the_prompt_is_read(room: Room):
    (fake,) = await room.fakes(1)
    engine = room.engine(fake.url)
    await engine.start()
    outputs = await ask(engine, 0)
    assert [type(output) for output in outputs] == [PrefillProgress, Done]
    assert outputs[-1] == Done("length", 0, len(fake.works[-1]["prompt"]) - 1)


@pytest.mark.promise("remote.refuses-what-it-cannot-keep")
@pytest.mark.parametrize(
    ("flaw", "words"),
    [
        ("no grammars", "grammars: not kept to: 'unbound' was written under one (take a llama-server that was built"),
        ("shows control tokens", "control tokens: they stand in the text (start it without --special)"),
        ("no progress", "reading: not told of, and not stopped where a client hangs up (take a newer llama-server)"),
    ],
)
async def test_an_engine_that_lacks_what_is_promised_is_refused_with_the_remedy(room: Room, flaw: str, words: str):
    (fake,) = await room.fakes(1)
    fake.flaws.add(flaw)
    with pytest.raises(EngineFault) as refused:
        await room.engine(fake.url).start()
    assert str(refused.value).startswith(f"{fake.url} (llama-server b1-fake) cannot be used: {words}")
    assert room.told[fake.url].missing


@pytest.mark.promise("remote.one-model")
async def test_urls_that_do_not_have_the_same_model_are_refused_by_name(room: Room):
    first, second = await room.fakes(2)
    second.model = "other.gguf"
    with pytest.raises(EngineFault) as refused:
        await room.engine(first.url, second.url).start()
    assert str(refused.value).startswith(
        f"{second.url} does not have the model that {first.url} has: its model is other"
    )


async def test_the_smallest_window_counts_and_a_larger_one_cannot_be_wished(room: Room):
    first, second = await room.fakes(2)
    second.window = 512
    engine = room.engine(first.url, second.url)
    await engine.start()
    assert engine.card.window == 512
    with pytest.raises(EngineFault, match="room for 512 tokens"):
        await room.engine(first.url, second.url, wishes=Wishes("tiny", context=1000)).start()


async def test_nobody_who_answers_is_an_engine_that_cannot_start(room: Room, unused_tcp_port: int):
    engine = room.engine(f"http://127.0.0.1:{unused_tcp_port}")
    with pytest.raises(EngineUnavailable, match=f"http://127.0.0.1:{unused_tcp_port}: the engine was lost before"):
        await engine.start()
    assert not (await engine.health()).ready


async def test_one_that_is_away_at_the_start_joins_when_it_comes(room: Room):
    first, second = await room.fakes(2)
    second.sick = says(503, {"error": {"message": "Loading model"}})
    engine = room.engine(first.url, second.url)
    await engine.start()
    assert up(engine) == [True, False]
    health = await engine.health()
    assert health.ready
    assert "Loading model" in health.detail
    second.sick = None
    await until(lambda: up(engine) == [True, True])
    assert not (await engine.health()).detail


@pytest.mark.promise("remote.tried-once-elsewhere")
@pytest.mark.parametrize(
    "fault",
    [hangs_up, says(500, {}), says(502, {}), says(503, {}), says(429, {})],
    ids=["cut", "500", "502", "503", "429"],
)
async def test_what_was_not_begun_is_done_elsewhere(room: Room, fault: Answer):
    first, second = await room.fakes(2)
    engine = room.engine(first.url, second.url)
    await engine.start()
    first.fault = fault
    assert [text(await ask(engine)) for _ in range(3)] == [REPLY] * 3


@pytest.mark.promise("remote.tried-once-elsewhere")
@pytest.mark.parametrize(
    ("fault", "kind", "requests"),
    [
        (hangs_up, EngineRefused, 2),
        (says(500, {}), EngineDied, 2),
        (says(503, {}), EngineUnavailable, 2),
        (says(429, {}, retry_after="9"), EngineFull, 2),
    ],
    ids=["cut", "500", "503", "429"],
)
async def test_what_nobody_begins_is_told_after_two_tries(
    room: Room, fault: Answer, kind: type[EngineFault], requests: int
):
    fakes = await room.fakes(3)
    engine = room.engine(*(fake.url for fake in fakes))
    await engine.start()
    asked = sum(fake.completions for fake in fakes)
    for fake in fakes:
        fake.fault = fault
    with pytest.raises(kind):
        await ask(engine)
    assert sum(fake.completions for fake in fakes) - asked == requests


@pytest.mark.promise("remote.tried-once-elsewhere")
@pytest.mark.parametrize(
    "fault",
    [
        streams(event(content="Hel", tokens=[1], tokens_predicted=1), cut=True),
        streams(event(content="Hel", tokens=[1], tokens_predicted=1), event(error={"code": 503, "message": "gone"})),
        streams(event(content="Hel", tokens=[1], tokens_predicted=1)),
        streams(event(content="Hel", tokens=[1], tokens_predicted=1), event(content=7)),
    ],
    ids=["cut", "an error", "no end", "garbage"],
)
async def test_what_was_begun_ends_where_it_ends(room: Room, fault: Answer):
    first, second = await room.fakes(2)
    engine = room.engine(first.url, second.url)
    await engine.start()
    first.fault = second.fault = fault
    with pytest.raises(EngineDied):
        await ask(engine)
    assert first.works + second.works == []
    first.fault = second.fault = None
    await until(lambda: up(engine) == [True, True])
    assert text(await ask(engine)) == REPLY


async def test_a_refusal_is_tried_nowhere_else(room: Room):
    first, second = await room.fakes(2)
    engine = room.engine(first.url, second.url)
    await engine.start()
    first.fault = says(400, {"error": {"message": "bad"}})
    with pytest.raises(EngineRefused, match="answered 400: bad"):
        await ask(engine)
    assert second.works == []


@pytest.mark.promise("remote.never-another-model")
async def test_an_endpoint_that_changes_its_model_is_left_out_until_it_has_the_right_one(
    room: Room, caplog: pytest.LogCaptureFixture
):
    first, second = await room.fakes(2)
    engine = room.engine(first.url, second.url)
    await engine.start()
    first.model, first.start = "other.gguf", 1
    await until(lambda: "its model is other" in engine.members[0].detail)
    assert [text(await ask(engine)) for _ in range(3)] == [REPLY] * 3
    assert first.works == []
    assert f"{first.url} is left out: its model is other" in caplog.text
    first.model, first.start = "fake.gguf", 2
    await until(lambda: up(engine) == [True, True])


@pytest.mark.promise("remote.poison")
async def test_a_prompt_that_two_engines_were_lost_with_is_not_sent_to_a_third(room: Room):
    fakes = await room.fakes(3)
    engine = room.engine(*(fake.url for fake in fakes))
    await engine.start()
    asked = sum(fake.completions for fake in fakes)
    for fake in fakes:
        fake.fault = hangs_up
    for _ in range(3):
        with pytest.raises(EngineRefused, match="is not sent again"):
            await ask(engine)
    assert sum(fake.completions for fake in fakes) - asked == 2
    for fake in fakes:
        fake.fault = None
    await until(lambda: up(engine) == [True] * 3)
    assert text(await ask(engine, say="Something else")) == REPLY


@pytest.mark.promise("remote.never-another-model")
async def test_a_model_that_changed_since_the_last_look_is_noticed_before_anything_of_its_reply_is_told(room: Room):
    (fake,) = await room.fakes(1)
    engine = room.engine(fake.url, interval=3600)
    await engine.start()
    assert text(await ask(engine)) == REPLY
    fake.model, fake.start = "other.gguf", 1
    engine.members[0].seen = float("-inf")
    outputs = engine.generate(Generation(RenderedPrompt((), (1, 2, 3)), 100))
    with pytest.raises(EngineUnavailable):
        await anext(outputs)


async def test_nothing_is_asked_of_an_engine_twice_within_its_freshness(room: Room):
    (fake,) = await room.fakes(1)
    engine = room.engine(fake.url, interval=3600)
    await engine.start()
    engine.members[0].seen = asyncio.get_running_loop().time() + 3600
    before = fake.traces
    await ask(engine)
    assert fake.traces == before


async def test_an_endpoint_has_as_many_works_as_it_may_have(room: Room):
    first, second = await room.fakes(2)
    engine = room.engine(first.url, second.url, limit=1)
    await engine.start()
    first.fault = second.fault = streams(event(content="Hel", tokens=[1], tokens_predicted=1), hang=True)
    segments = (Segment("<|user|>Hi"),)
    work = Generation(RenderedPrompt(segments, await engine.tokenize(segments)), 5)
    open_works = [engine.generate(work) for _ in range(2)]
    for outputs in open_works:
        assert isinstance(await anext(outputs), Piece)
    assert [member.works for member in engine.members] == [1, 1]
    third = asyncio.ensure_future(anext(engine.generate(work)))
    await asyncio.wait([third], timeout=5 * INTERVAL)
    assert not third.done()
    first.fault = second.fault = None
    await open_works[0].aclose()
    async with asyncio.timeout(PATIENCE):
        assert isinstance(await third, PrefillProgress)
    await open_works[1].aclose()
