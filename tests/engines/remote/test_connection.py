"""HTTP to one engine: what may come, and which fault it is."""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path
from time import time

import pytest
from aiohttp import web

from antiphon.engines.remote.connection import Access, Connection, EngineBroken, EngineLocked, EngineLost
from antiphon.errors import EngineDied, EngineFault, EngineFull, EngineNotBegun, EngineRefused, EngineUnavailable
from tests.engines.remote.stand_in import Answer, StandIn, hangs, hangs_up, says, standing_in, streams

PATIENCE = 20.0


@pytest.fixture
async def stand_in() -> AsyncGenerator[StandIn]:
    async with standing_in() as made:
        yield made


@pytest.fixture
async def connection(stand_in: StandIn) -> AsyncGenerator[Connection]:
    made = Connection(Access(stand_in.url, "secret", {"x-team": "blue"}, silence=5))
    yield made
    await made.aclose()


async def read(connection: Connection) -> list[dict[str, object]]:
    async with asyncio.timeout(PATIENCE):
        return [event async for event in connection.events("/stream", {"a": 1})]


async def fault(connection: Connection) -> EngineFault:
    """What both a question and a stream raise."""
    with pytest.raises(EngineFault) as asked:
        await connection.post("/ask", {})
    with pytest.raises(EngineFault) as streamed:
        await read(connection)
    assert type(asked.value) is type(streamed.value)
    return streamed.value


async def test_a_question_goes_out_with_key_and_headers(connection: Connection, stand_in: StandIn):
    stand_in.answer = says(200, {"b": 2})
    assert await connection.post("/ask", {"a": 1}, headers={"x-session-id": "s"}) == {"b": 2}
    headers = stand_in.asked[0].headers
    assert (headers["authorization"], headers["x-team"], headers["x-session-id"]) == ("Bearer secret", "blue", "s")
    assert stand_in.bodies == [{"a": 1}]
    assert await connection.get("/ask") == {"b": 2}


async def test_an_empty_answer_is_an_empty_object(connection: Connection, stand_in: StandIn):
    async def nothing(request: web.Request) -> web.StreamResponse:
        return web.Response()

    stand_in.answer = nothing
    assert await connection.get("/health") == {}


async def test_a_stream_ends_with_its_end(connection: Connection, stand_in: StandIn):
    stand_in.answer = streams(b'data: {"a"', b": 1}\n\n", b"data: [DONE]\n\n", hang=True)
    assert await read(connection) == [{"a": 1}]


async def test_closing_a_stream_hangs_up(connection: Connection, stand_in: StandIn):
    stand_in.answer = streams(b'data: {"a": 1}\n\n', hang=True)
    events = connection.events("/stream", {})
    assert await anext(events) == {"a": 1}
    await events.aclose()
    async with asyncio.timeout(PATIENCE):
        await stand_in.gone.wait()


@pytest.mark.promise("remote.faults")
@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (says(400, {"error": {"message": "bad grammar", "code": 400}}), EngineRefused, "answered 400: bad grammar"),
        (says(404, {"detail": "Not Found"}), EngineRefused, "answered 404: Not Found"),
        (says(401, {"error": "Unauthorized"}), EngineLocked, "answered 401: Unauthorized"),
        (says(307, {}, location="http://elsewhere"), EngineRefused, "answered 307"),
        (says(500, {"message": "boom"}), EngineBroken, "answered 500: boom"),
        (says(502, "bad gateway"), EngineNotBegun, "answered 502: bad gateway"),
        (says(503, {"error": {"message": "Loading model"}}), EngineUnavailable, "answered 503: Loading model"),
        (hangs_up, EngineLost, "lost before it began"),
    ],
    ids=["400", "404", "401", "307", "500", "502", "503", "hangs up"],
)
async def test_an_answer_without_a_reply_is_its_kind_of_fault(
    connection: Connection, stand_in: StandIn, answer: Answer, kind: type[EngineFault], words: str
):
    stand_in.answer = answer
    problem = await fault(connection)
    assert type(problem) is kind
    assert words in str(problem)
    assert "secret" not in str(problem)


@pytest.mark.promise("remote.faults")
@pytest.mark.parametrize(
    ("status", "retry_after", "low", "high"),
    [
        (429, "", 1, 1),
        (429, "7", 7, 7),
        (503, "0.5", 0.5, 0.5),
        (503, "-1", 0, 0),
        (503, "nan", 1, 1),
        (503, "soon", 1, 1),
        (503, "date", 20, 31),
        (529, "1e9", 3600, 3600),
    ],
)
async def test_a_full_engine_says_when_there_may_be_room(
    connection: Connection, stand_in: StandIn, status: int, retry_after: str, low: float, high: float
):
    if retry_after == "date":
        retry_after = formatdate(time() + 30, usegmt=True)
    stand_in.answer = says(status, {}, **({"retry_after": retry_after} if retry_after else {}))
    problem = await fault(connection)
    assert isinstance(problem, EngineFull)
    assert low <= problem.retry_after <= high


@pytest.mark.promise("remote.faults")
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (streams(b'data: {"a": 1}\n\n', cut=True), "lost in the middle"),
        (streams(b'data: {"a": 1}\n\n', b"<html>oh\n"), "no stream of events"),
        (streams(b'data: {"a": 1}\n\n', b"data: {{{\n\n"), "no JSON"),
        (streams(b'data: {"a": 1}\n\n', b"data: 7\n\n"), "no JSON object"),
        (streams(b"<html></html>", media_type="text/html"), "answered with text/html"),
        (streams(b"\xff\xfe\n\n"), "no stream of events"),
    ],
    ids=["cut", "garbage", "half JSON", "no object", "a page", "bytes"],
)
async def test_a_reply_that_breaks_is_a_death(connection: Connection, stand_in: StandIn, answer: Answer, words: str):
    stand_in.answer = answer
    with pytest.raises(EngineDied, match=words):
        await read(connection)


@pytest.mark.promise("remote.faults")
@pytest.mark.parametrize("answer", [hangs, streams(b": begun\n\n", hang=True)], ids=["no status", "no event"])
async def test_an_engine_that_says_nothing_is_dead_after_a_bounded_time(stand_in: StandIn, answer: Answer):
    stand_in.answer = answer
    connection = Connection(Access(stand_in.url, silence=0.3))
    with pytest.raises(EngineDied):
        await read(connection)
    with pytest.raises(EngineDied, match="did not"):
        await connection.answer("GET", "/ask", patience=0.3)
    await connection.aclose()


async def test_a_question_with_an_answer_of_no_json_is_a_death(connection: Connection, stand_in: StandIn):
    stand_in.answer = streams(b"<html>", media_type="text/html")
    with pytest.raises(EngineDied, match="no JSON: b'<html>'"):
        await connection.get("/props")


async def test_nobody_who_listens_has_not_begun(unused_tcp_port: int):
    connection = Connection(Access(f"http://127.0.0.1:{unused_tcp_port}"))
    assert type(await fault(connection)) is EngineNotBegun
    await connection.aclose()


async def test_a_name_that_nobody_has_has_not_begun():
    connection = Connection(Access("http://engine.invalid:8000"))
    assert isinstance(await fault(connection), EngineNotBegun)
    await connection.aclose()


async def test_a_kept_connection_that_the_engine_closed_is_not_missed(connection: Connection, stand_in: StandIn):
    counted = 0

    async def every_second(request: web.Request) -> web.StreamResponse:
        nonlocal counted
        counted += 1
        return await (hangs_up if counted == 2 else says(200, {"n": counted}))(request)

    stand_in.answer = every_second
    assert await connection.post("/ask", {}) == {"n": 1}
    assert await connection.post("/ask", {}) == {"n": 3}


@pytest.mark.promise("remote.poison")
async def test_work_is_sent_once_even_where_a_kept_connection_may_have_been_closed(
    connection: Connection, stand_in: StandIn
):
    stand_in.answer = says(200, {})
    await connection.post("/ask", {})
    stand_in.answer = hangs_up
    with pytest.raises(EngineLost):
        await read(connection)
    assert len(stand_in.asked) == 2


async def test_a_closed_connection_takes_nothing_and_ends_what_it_had(connection: Connection, stand_in: StandIn):
    stand_in.answer = streams(b'data: {"a": 1}\n\n', hang=True)
    events = connection.events("/stream", {})
    await anext(events)
    waiting = asyncio.ensure_future(anext(events))
    stand_in.answer = stand_in.hangs
    asking = asyncio.ensure_future(connection.get("/ask"))
    async with asyncio.timeout(PATIENCE):
        await stand_in.hanging.wait()
        await connection.aclose()
        await connection.aclose()
        for ended in (waiting, asking):
            with pytest.raises(EngineDied, match="stopped"):
                await ended
    with pytest.raises(EngineUnavailable, match="closed"):
        await connection.get("/ask")


async def test_what_cannot_be_sent_is_refused(connection: Connection):
    with pytest.raises(EngineRefused, match="cannot be sent"):
        await connection.post("/ask", {"a": "\ud800"})


async def test_certificates_that_cannot_be_read_are_told_at_once(tmp_path: Path):
    empty = tmp_path / "ca.pem"
    empty.write_text("")
    for path, kind in ((tmp_path / "none.pem", FileNotFoundError), (empty, ssl.SSLError)):
        with pytest.raises(kind):
            Connection(replace(Access("https://a"), ca_file=str(path)))


def test_neither_key_nor_headers_are_shown():
    access = Access("http://a", "secret", {"x-team": "blue"})
    assert "secret" not in repr(access)
    assert "blue" not in repr(access)
