"""What a client of the API sees when an engine fails, whichever way: nothing but its own reply is lost."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiohttp import web

from antiphon.engines.remote.agreement import Wishes
from antiphon.engines.remote.connection import Access, Connection
from antiphon.engines.remote.engine import RemoteEngine
from antiphon.engines.remote.llama_server import LlamaServer
from antiphon.testing import Bridge, engine_app
from tests.engines.remote.fake_llama import REPLY, FakeLlama, event, fake_llama
from tests.engines.remote.stand_in import Answer, hangs, hangs_up, says, streams

SILENCE = 0.5
"""Seconds for which an engine may say nothing here."""

BEGUN = event(content="Hel", tokens=[72], tokens_predicted=1)
ASKED: dict[str, Any] = {
    "model": "claude-opus-4-8",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Hi"}],
}
NEXT = {**ASKED, "messages": [{"role": "user", "content": "Hi again"}]}
PATIENCE = 20.0


class City:
    """An app over two engines."""

    def __init__(self, bridge: Bridge, fakes: list[FakeLlama], engine: RemoteEngine) -> None:
        self.bridge = bridge
        self.fakes = fakes
        self.engine = engine

    def fail(self, fault: Answer | None) -> None:
        """Both engines do this from now on."""
        for fake in self.fakes:
            fake.fault = fault

    async def heal(self) -> None:
        """Both are well again."""
        self.fail(None)
        async with asyncio.timeout(PATIENCE):
            while not all(member.up for member in self.engine.members):  # noqa: ASYNC110 - no event tells of it
                await asyncio.sleep(0.01)


@pytest.fixture
async def city() -> AsyncGenerator[City]:
    async with AsyncExitStack() as stack:
        fakes = [await stack.enter_async_context(fake_llama()) for _ in range(2)]
        endpoints = [LlamaServer(Connection(Access(fake.url, silence=SILENCE))) for fake in fakes]
        engine = RemoteEngine(Wishes("tiny"), endpoints, interval=0.01)
        bridge = await stack.enter_async_context(engine_app(engine, commit_after=0.0))
        yield City(bridge, fakes, engine)


def slowly(fake: FakeLlama) -> Answer:
    """The status line comes late, but comes."""

    async def answer(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(SILENCE / 2)
        fake.fault = None
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        await asyncio.sleep(SILENCE / 2)
        await response.write(event(content=REPLY, tokens=[72], tokens_predicted=1))
        await response.write(event(stop=True, stop_type="eos", tokens_predicted=1, stopping_word=""))
        return response

    return answer


def retried(times: int) -> Answer:
    """A router that tries its engines so often, and then says that none of them answered."""
    tried = 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal tried
        tried += times
        return await says(502, {"error": f"no engine answered in {tried} tries"})(request)

    return answer


@pytest.mark.promise("remote.chaos")
@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        (hangs_up, 500, "api_error"),
        (hangs, 500, "api_error"),
        (says(500, {}), 500, "api_error"),
        (says(503, {}), 529, "overloaded_error"),
        (retried(5), 529, "overloaded_error"),
        (says(400, {"error": {"message": "no"}}), 500, "api_error"),
        (streams(b"<html>502</html>", media_type="text/html"), 500, "api_error"),
        (streams(BEGUN, cut=True), 500, "api_error"),
        (streams(BEGUN, b"garbage\n\n"), 500, "api_error"),
        (streams(BEGUN, hang=True), 500, "api_error"),
    ],
    ids=["hangs up", "hangs", "500", "503", "a router", "400", "a page", "dies", "garbage", "falls silent"],
)
async def test_a_reply_that_no_engine_gives_is_an_error_and_the_next_one_is_well(
    city: City, fault: Answer, status: int, kind: str
):
    city.fail(fault)
    failed = await city.bridge.post(ASKED)
    assert (failed.status, failed.json["error"]["type"]) == (status, kind)
    assert "127.0.0.1" not in failed.body.decode()
    await city.heal()
    well = await city.bridge.post(NEXT)
    assert (well.status, well.json["content"]) == (200, [{"type": "text", "text": REPLY}])


@pytest.mark.promise("remote.chaos")
@pytest.mark.parametrize(
    "fault",
    [
        streams(BEGUN, cut=True),
        streams(BEGUN, b"garbage\n\n"),
        streams(BEGUN, b"data: {\n\n"),
        streams(BEGUN, hang=True),
        streams(BEGUN),
    ],
    ids=["dies", "garbage", "half JSON", "falls silent", "no end"],
)
async def test_a_stream_that_was_begun_ends_with_an_error_in_band_and_no_other_does(city: City, fault: Answer):
    first, second = city.fakes
    first.fault = fault
    # Four conversations: the turns of one would all be the same engine's.
    bodies = [{**ASKED, "messages": [{"role": "user", "content": f"Hi {n}"}], "stream": True} for n in range(4)]
    answers = await asyncio.gather(*map(city.bridge.post, bodies))
    assert {answer.status for answer in answers} == {200}
    ends = [answer.events[-1]["type"] for answer in answers]
    assert {*ends} == {"error", "message_stop"}
    whole = [answer for answer, end in zip(answers, ends, strict=True) if end == "message_stop"]
    for answer in whole:
        deltas = [each["delta"].get("text", "") for each in answer.events if each["type"] == "content_block_delta"]
        assert "".join(deltas) == REPLY
    assert len(whole) == len(second.works) == 2


@pytest.mark.promise("remote.chaos")
async def test_an_engine_that_is_slow_to_begin_is_waited_for(city: City):
    for fake in city.fakes:
        fake.fault = slowly(fake)
    well = await city.bridge.post(ASKED)
    assert (well.status, well.json["content"][0]["text"]) == (200, REPLY)


@pytest.mark.promise("remote.chaos")
async def test_a_full_engine_says_when_to_come_again(city: City):
    city.fail(says(503, {}, retry_after="7"))
    failed = await city.bridge.post(ASKED)
    assert (failed.status, failed.json["error"]["type"]) == (529, "overloaded_error")
    assert failed.headers["retry-after"] == "7"


@pytest.mark.promise("remote.chaos")
async def test_where_all_engines_have_another_model_nothing_is_answered(city: City):
    for fake in city.fakes:
        fake.model, fake.start = "other.gguf", 1
    async with asyncio.timeout(PATIENCE):
        while any(member.up for member in city.engine.members):  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(0.01)
    failed = await city.bridge.post(ASKED)
    assert (failed.status, failed.json["error"]["type"]) == (529, "overloaded_error")
    assert [fake.works for fake in city.fakes] == [[], []]


@pytest.mark.promise("remote.frees-engines")
async def test_a_client_that_goes_away_hangs_up_at_the_engine(city: City):
    city.fail(streams(BEGUN, hang=True))
    async with city.bridge.open("POST", "/v1/messages", {**ASKED, "stream": True}) as exchange:
        await exchange.begin()
        await anext(exchange.chunks())
        busy = [member for member in city.engine.members if member.works]
    (fake,) = [fake for fake in city.fakes if fake.url == busy[0].endpoint.url]
    async with asyncio.timeout(1):
        await fake.stand_in.gone.wait()
    assert not any(member.works for member in city.engine.members)
