"""What llama.cpp's server may answer, and what becomes of it: a stand-in server that says what a test wants."""

from collections.abc import AsyncGenerator, Awaitable, Callable

import pytest
from aiohttp import web

from antiphon.engines.llamacpp.client import LlamaClient, Server
from antiphon.errors import EngineDied, EngineFault, EngineNotBegun, EngineRefused, EngineUnavailable
from antiphon.ports.engine import Done, EngineOutput, Piece, PrefillProgress

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
KEY = "secret"

STREAM = (
    b': a comment\n\ndata: {"content":"","tokens_predicted":0,"prompt_progress":{"total":9,"cache":2,"processed":9}}\n\n'
    + 'data: {"content":"日","tokens":[7],"tokens_predicted":3}\n\n'.encode()
    + b'data: {"stop":true,"stop_type":"eos","tokens_predicted":4,"timings/cache_n":2}\n\n'
)
READ = [PrefillProgress(9, 9, 2), Piece("日", 3), Done("end", 4, 2)]


class StandIn:
    """A server whose next answer a test sets; it remembers the last request."""

    def __init__(self) -> None:
        self.answer: Answer = self._nothing
        self.asked: dict[str, object] = {}
        self.server = Server("", KEY)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        assert request.headers["authorization"] == f"Bearer {KEY}"
        self.asked = await request.json() if request.can_read_body else {}
        return await self.answer(request)

    async def _nothing(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({})


@pytest.fixture
async def stand_in() -> AsyncGenerator[StandIn]:
    made = StandIn()
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", made.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.server = Server("http://{}:{}".format(*runner.addresses[0][:2]), KEY)
    yield made
    await runner.cleanup()


@pytest.fixture
async def client() -> AsyncGenerator[LlamaClient]:
    made = LlamaClient()
    yield made
    await made.aclose()


def says(status: int, body: object) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status)

    return answer


def streams(*parts: bytes, cut: bool = False) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        for part in parts:
            await response.write(part)
        if cut and request.transport is not None:
            request.transport.abort()
        return response

    return answer


async def complete(client: LlamaClient, stand_in: StandIn, **more: object) -> list[EngineOutput]:
    return [output async for output in client.complete(stand_in.server, {"prompt": (1, 2), **more})]


async def test_a_stream_becomes_progress_pieces_and_an_end(client: LlamaClient, stand_in: StandIn):
    stand_in.answer = streams(STREAM)
    assert await complete(client, stand_in) == READ
    assert (stand_in.asked["stream"], stand_in.asked["return_progress"]) == (True, True)


async def test_tokens_come_only_where_they_were_asked_for(client: LlamaClient, stand_in: StandIn):
    stand_in.answer = streams(STREAM)
    assert (await complete(client, stand_in, return_tokens=True))[1] == Piece("日", 3, (7,))


async def test_a_stream_may_be_cut_anywhere(client: LlamaClient, stand_in: StandIn):
    for at in range(1, len(STREAM), 7):
        stand_in.answer = streams(STREAM[:at], STREAM[at:])
        assert await complete(client, stand_in) == READ


@pytest.mark.parametrize(
    ("stop_type", "end"),
    [("eos", Done("end", 1)), ("limit", Done("length", 1)), ("word", Done("stop", 1, matched="</think>"))],
)
async def test_the_end_says_its_reason(client: LlamaClient, stand_in: StandIn, stop_type: str, end: Done):
    stand_in.answer = streams(
        b'data: {"stop":true,"stop_type":"%s","stopping_word":"%s","tokens_predicted":1}\n\n'
        % (stop_type.encode(), (end.matched or "").encode())
    )
    assert await complete(client, stand_in) == [end]


@pytest.mark.promise("engine.faults-told-apart")
@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        pytest.param(
            says(400, {"error": {"code": 400, "message": "exceeds the context"}}),
            EngineRefused,
            "answered 400: exceeds the context",
            id="refused",
        ),
        pytest.param(says(500, {"error": {"message": "oh"}}), EngineRefused, "answered 500: oh", id="failed"),
        pytest.param(
            says(503, {"error": {"message": "Loading model"}}), EngineUnavailable, "Loading model", id="loading"
        ),
        pytest.param(says(502, ["?"]), EngineRefused, r'answered 502: \["\?"\]', id="no error object"),
        pytest.param(
            streams(b'data: {"error":{"code":500,"message":"decode failed"}}\n\n'),
            EngineRefused,
            "answered 500: decode failed",
            id="an error in the stream",
        ),
        pytest.param(
            streams(b'error: {"code":503,"message":"full"}\n\n'), EngineUnavailable, "full", id="an error event"
        ),
        pytest.param(streams(STREAM[:200], cut=True), EngineDied, "lost in the middle of a reply", id="cut off"),
        pytest.param(streams(STREAM[:200]), EngineDied, "without saying why", id="no end"),
    ],
)
async def test_every_failure_has_its_kind(
    client: LlamaClient, stand_in: StandIn, answer: Answer, kind: type[EngineFault], words: str
):
    stand_in.answer = answer
    with pytest.raises(kind, match=words):
        await complete(client, stand_in)


async def test_other_calls_fail_in_the_same_kinds(client: LlamaClient, stand_in: StandIn):
    stand_in.answer = says(400, {"error": {"message": "bad content"}})
    with pytest.raises(EngineRefused, match="bad content"):
        await client.tokenize(stand_in.server, "a", special=True)


async def test_a_server_that_hangs_up_before_it_answers_has_not_begun(client: LlamaClient, stand_in: StandIn):
    async def hang_up(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    stand_in.answer = hang_up
    with pytest.raises(EngineNotBegun):
        await client.tokenize(stand_in.server, "a", special=True)
    with pytest.raises(EngineNotBegun):
        await complete(client, stand_in)


async def test_a_reply_that_breaks_off_is_a_death(client: LlamaClient, stand_in: StandIn):
    stand_in.answer = streams(b'{"tok', cut=True)
    with pytest.raises(EngineDied, match="during /tokenize"):
        await client.tokenize(stand_in.server, "a", special=True)


async def test_a_server_that_does_not_listen_has_not_begun(client: LlamaClient, unused_tcp_port: int):
    nowhere = Server(f"http://127.0.0.1:{unused_tcp_port}", KEY)
    with pytest.raises(EngineNotBegun):
        await client.tokenize(nowhere, "a", special=True)
    with pytest.raises(EngineNotBegun):
        await anext(client.complete(nowhere, {}))
    assert not await client.is_healthy(nowhere)


async def test_text_that_is_not_unicode_is_refused(client: LlamaClient, stand_in: StandIn):
    with pytest.raises(EngineRefused, match="cannot be sent"):
        await client.tokenize(stand_in.server, "\ud800", special=True)


async def test_a_prompt_of_megabytes_is_sent_whole(client: LlamaClient, stand_in: StandIn):
    text = "日本語 " * 1_000_000
    stand_in.answer = says(200, {"tokens": [7]})
    assert await client.tokenize(stand_in.server, text, special=True) == [7]
    assert stand_in.asked["content"] == text
