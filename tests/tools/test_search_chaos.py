"""Providers that hang, lie, say too much, speak nonsense or die: each call ends in time with the documented code."""

import asyncio
import gzip
import time
from collections.abc import Awaitable, Callable

import orjson
import pytest

from antiphon.ports.server_tools import ServerCall, ToolProblem
from antiphon.tools.web_search import WebSearch
from tests.network.stand_in import pour
from tests.tools.providers import REMOTE, remote
from tests.tools.stand_ins import whole

TIMEOUT = 1.0
# On a machine that does other things too.
SLACK = 15.0
MIB = 1024 * 1024

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


def raw(data: bytes) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    return answer


def then_hang(data: bytes) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        await asyncio.Event().wait()

    return answer


def pouring(head: bytes, data: bytes, pause: float = 0.0) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        await pour(writer, data, pause)

    return answer


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
DEEP = b"[" * 500_000
CHAOS: dict[str, tuple[Answer, str]] = {
    "says nothing": (then_hang(b""), "unavailable"),
    "hangs in its head": (then_hang(b"HTTP/1.1 200 OK\r\nContent-Ty"), "unavailable"),
    "hangs in its body": (then_hang(HEAD + b'Content-Length: 100\r\n\r\n{"results": ['), "unavailable"),
    "drips for ever": (pouring(HEAD + b"\r\n", b" ", 0.05), "unavailable"),
    "sends 10 MB": (raw(whole(b'{"results": [' + b" " * (10 * MIB) + b"]}")), "unavailable"),
    "sends without an end": (pouring(HEAD + b"\r\n", b" " * MIB), "unavailable"),
    "sends a bomb": (
        raw(whole(gzip.compress(b" " * (10 * MIB)), fields="Content-Encoding: gzip\r\n")),
        "unavailable",
    ),
    "promises more than it sends": (raw(HEAD + b'Content-Length: 1000\r\n\r\n{"results": []}'), "unavailable"),
    "sends half a JSON": (raw(whole(b'{"results": [{"url": ')), "unavailable"),
    "sends a deep JSON": (raw(whole(DEEP)), "unavailable"),
    "sends a page": (raw(whole(b"<html>Just a moment...</html>", media_type="text/html")), "unavailable"),
    "speaks another protocol": (raw(b"SSH-2.0-OpenSSH_9.2\r\n"), "unavailable"),
    "closes the connection": (raw(b""), "unavailable"),
    "redirects": (raw(whole(b"", 302, fields="Location: http://169.254.169.254/\r\n")), "unavailable"),
    "is broken": (raw(whole(b'{"error": "oops"}', 500)), "unavailable"),
    "is overloaded": (raw(whole(b"", 503)), "unavailable"),
    "has had enough": (raw(whole(b'{"error": "slow down"}', 429)), "too_many_requests"),
    "finds the request too large": (raw(whole(b"", 414)), "request_too_large"),
    "finds the body too large": (raw(whole(b"", 413)), "request_too_large"),
}
ROWS: list[object] = [1, None, "x", []]
OTHER_URLS = [
    {"url": url, "fullurl": url, "title": "T", "content": "C", "description": "C"}
    for url in (
        "javascript:alert(1)",
        "file:///etc/passwd",
        "//x",
        "",
        "http://",
        "https://u:p@x.org/",
        "https://a b/",
    )
]
LIES: dict[str, bytes] = {
    "a list": b"[]",
    "null": b"null",
    "a number": b"7",
    "no results": b"{}",
    "results that are none": b'{"results": {"a": 1}, "web": {"results": "x"}, "query": {"pages": {"-1": {}}}}',
    "rows that are none": orjson.dumps({"results": ROWS, "web": {"results": ROWS}, "query": {"pages": ROWS}}),
    "fields of other types": orjson.dumps(
        {
            "results": [{"url": 7, "title": [], "content": {}, "publishedDate": 3, "published_date": []}],
            "web": {"results": [{"url": None, "title": 7, "description": [], "extra_snippets": "x", "page_age": {}}]},
            "query": {
                "pages": [{"fullurl": 7, "title": [], "extract": 3, "index": "x", "revisions": [[]]}, {"index": []}]
            },
        }
    ),
    "URLs of other kinds": orjson.dumps(
        {"results": OTHER_URLS, "web": {"results": OTHER_URLS}, "query": {"pages": OTHER_URLS}}
    ),
}


def search(query: object = "cats") -> ServerCall:
    return ServerCall("srvtoolu_1", "web_search", {"query": query})


async def of_all(work: Callable[[str], Awaitable[None]]) -> None:
    """Do it with all providers at once: most of it is waiting."""
    async with asyncio.TaskGroup() as group:
        for provider in REMOTE:
            group.create_task(_named(work, provider))


async def _named(work: Callable[[str], Awaitable[None]], provider: str) -> None:
    try:
        await work(provider)
    except Exception as problem:
        problem.add_note(f"provider: {provider}")
        raise


@pytest.mark.promise("web-tools.chaos")
@pytest.mark.parametrize("trouble", CHAOS)
async def test_a_provider_in_trouble_ends_in_time_with_the_documented_code(trouble: str):
    await of_all(lambda provider: trouble_with(provider, *CHAOS[trouble]))


async def trouble_with(provider: str, misbehave: Answer, code: str) -> None:
    async with remote(provider, TIMEOUT) as (asked, host):
        host.misbehave = misbehave
        tool = WebSearch(asked, results=5, characters=1000)
        began = time.monotonic()
        with pytest.raises(ToolProblem) as caught:
            await tool.run(search())
        assert caught.value.code == code
        assert time.monotonic() - began < TIMEOUT + SLACK
        host.misbehave = None
        assert (await tool.run(search())).counts == {"web_search_requests": 1}


@pytest.mark.promise("web-tools.chaos")
@pytest.mark.parametrize("lie", LIES)
async def test_a_provider_that_lies_is_not_believed(lie: str):
    await of_all(lambda provider: lie_of(provider, LIES[lie]))


async def lie_of(provider: str, lie: bytes) -> None:
    async with remote(provider) as (asked, host):
        host.misbehave = raw(whole(lie))
        tool = WebSearch(asked, results=5, characters=1000)
        try:
            shown = (await tool.run(search())).content
        except ToolProblem as problem:
            shown = problem.code
    assert shown in ([], "unavailable")


@pytest.mark.promise("web-tools.chaos")
async def test_a_provider_that_is_not_there_is_unavailable():
    async with remote("searxng") as (asked, host):
        tool = WebSearch(asked, results=5, characters=1000)
        await host.__aexit__()
        with pytest.raises(ToolProblem) as caught:
            await tool.run(search())
    assert caught.value.code == "unavailable"
    assert f"127.0.0.1:{host.port}" in caught.value.reason


@pytest.mark.promise("web-tools.keys")
@pytest.mark.parametrize("provider", REMOTE)
async def test_a_redirect_takes_neither_the_question_nor_the_key_elsewhere(provider: str):
    async with remote(provider) as (asked, host), remote(provider) as (_, elsewhere):
        there = f"Location: {elsewhere.url}/search?q=cats&format=json\r\n"
        host.misbehave = raw(whole(b"", 307, fields=there))
        with pytest.raises(ToolProblem, match="status 307"):
            await WebSearch(asked, results=5, characters=1000).run(search())
        assert elsewhere.asked == []


async def test_cancelling_a_search_ends_its_request():
    async with remote("searxng") as (asked, host):
        begun = asyncio.Event()
        left = asyncio.Event()

        async def hang(writer: asyncio.StreamWriter) -> None:
            begun.set()
            try:
                await pour(writer, b" ", 0.01)
            except ConnectionError:
                left.set()

        host.misbehave = hang
        running = asyncio.create_task(WebSearch(asked, results=5, characters=9).run(search()))
        async with asyncio.timeout(SLACK):
            await begun.wait()
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            await left.wait()
