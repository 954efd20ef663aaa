"""The tool `web_fetch`: what it shows of a page, each documented error, and its cache."""

import asyncio
import base64
from collections.abc import Callable, Mapping
from typing import Any, get_args

import jsonschema
import orjson
import pytest
from pydantic import TypeAdapter

from antiphon.config import WebFetchSettings
from antiphon.ports.fetch import FetchFault, NotAllowed, NotHttps, RobotsDisallow, Throttled, TooLarge, Unreachable
from antiphon.ports.media import MediaProblem, MediaUnavailable
from antiphon.ports.server_tools import ServerCall, ToolProblem
from antiphon.testing import FixedClock
from antiphon.tools.page_cache import Page, PageCache
from antiphon.tools.web_fetch import rough_tokens
from antiphon.wire.content.results import WebFetchError, WebFetchToolResultBlock
from tests.tools.fetching import URL, Bench, call, input_call

CODES = set(get_args(WebFetchError.model_fields["error_code"].annotation))
WAIT = 10.0


async def problem(bench: Bench, asked: ServerCall) -> ToolProblem:
    with pytest.raises(ToolProblem) as caught:
        await bench.tool.run(asked)
    assert caught.value.code in CODES
    return caught.value


@pytest.mark.promise("web-tools.fetch")
async def test_a_page_is_a_document_of_its_text():
    bench = Bench()
    bench.files.put(b"<p>cats</p>", "text/html")
    assert await bench.fetched() == {
        "type": "web_fetch_result",
        "url": URL,
        "content": {
            "type": "document",
            "source": {"type": "text", "media_type": "text/plain", "data": "<P>CATS</P>"},
            "title": "A title",
            "citations": None,
        },
        "retrieved_at": "2026-02-02T02:40:00Z",
    }
    assert bench.files.limits == [10 * 1024 * 1024]


@pytest.mark.promise("web-tools.fetch")
async def test_a_pdf_is_a_document_of_the_file_itself():
    bench = Bench()
    data = b"%PDF-1.7 and so on"
    bench.files.put(data, "application/pdf")
    content = (await bench.fetched(max_content_tokens=1))["content"]
    assert content["source"] == {
        "type": "base64", "media_type": "application/pdf", "data": base64.b64encode(data).decode()
    }  # fmt: skip
    assert content["title"] == "A title"
    assert bench.reader.read == [data]


@pytest.mark.promise("web-tools.fetch")
@pytest.mark.parametrize("media_type", ["text/html", "application/pdf", "text/plain"])
async def test_a_result_is_the_apis_own(media_type: str):
    bench = Bench()
    bench.files.put(b"%PDF-1.7" if media_type == "application/pdf" else b"cats", media_type)
    content = await bench.fetched(citations={"enabled": True})
    assert content["content"]["citations"] == {"enabled": True}
    block = {"type": bench.tool.result_type, "tool_use_id": "srvtoolu_1", "content": content}
    TypeAdapter(WebFetchToolResultBlock).validate_json(orjson.dumps(block))


@pytest.mark.promise("web-tools.fetch")
async def test_a_text_is_cut_at_about_so_many_tokens():
    bench = Bench()
    bench.files.put(b"cat " * 10_000)
    assert rough_tokens(await bench.data()) == 4096
    assert await bench.data(max_content_tokens=10) == "cat " * 10
    bench.files.put("猫".encode() * 1000, url="https://cats.example/2")
    cut = (await bench.fetched("https://cats.example/2", max_content_tokens=30))["content"]["source"]["data"]
    assert cut == "猫" * 40
    whole = Bench(settings=WebFetchSettings(max_content_tokens=0))
    whole.files.put(b"cat " * 10_000)
    assert len(await whole.data()) == 40_000


@pytest.mark.promise("web-tools.seen-urls")
@pytest.mark.parametrize(
    ("seen", "asked"),
    [
        ("https://cats.example/sleep", "https://cats.example/sleep"),
        ("https://cats.example/sleep", " https://CATS.example:443/sleep#why "),
        ("http://cats.example/sleep", "https://cats.example/sleep"),
        ("https://cats.example", "https://cats.example/"),
    ],
)
async def test_a_url_that_the_conversation_has_seen_is_fetched(seen: str, asked: str):
    bench = Bench()
    bench.files.put(b"cats", url=asked.strip())
    assert (await bench.tool.run(call(asked, [seen, "nonsense"]))).content["url"] == asked.strip()


@pytest.mark.promise("web-tools.seen-urls")
@pytest.mark.parametrize(
    "asked", ["https://cats.example/", "https://cats.example/sleep?q=secret", "https://evil.example/sleep", URL + "/"]
)
async def test_a_url_that_the_conversation_has_not_seen_is_not(asked: str):
    bench = Bench()
    bench.files.put(b"cats", url=asked)
    assert (await problem(bench, call(asked, [URL]))).code == "url_not_in_prior_context"
    assert bench.files.asked == []


def of_fault(fault: FetchFault) -> Callable[[Bench], None]:
    def arrange(bench: Bench) -> None:
        bench.files.files[URL] = fault

    return arrange


def of_media(trouble: MediaProblem | MediaUnavailable, media_type: str = "text/html") -> Callable[[Bench], None]:
    def arrange(bench: Bench) -> None:
        bench.files.put(b"%PDF-1.7" if media_type == "application/pdf" else b"cats", media_type)
        bench.reader.trouble = trouble

    return arrange


def of_file(data: bytes, media_type: str, at: str = "") -> Callable[[Bench], None]:
    def arrange(bench: Bench) -> None:
        bench.files.put(data, media_type, at=at)

    return arrange


def nothing(_: Bench) -> None:
    """Whatever is there does not matter."""


PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
BLOCKED = {"blocked_domains": ["cats.example"]}
ELSEWHERE = {"allowed_domains": ["cats.example"]}
LONG = "https://cats.example/" + "a" * 230
ERRORS: dict[str, tuple[ServerCall, Callable[[Bench], None], str]] = {
    "no URL": (input_call({}), nothing, "invalid_tool_input"),
    "a URL that is no text": (input_call({"url": 7}), nothing, "invalid_tool_input"),
    "a URL that is none": (call("cats"), nothing, "invalid_tool_input"),
    "a file URL": (call("file:///etc/passwd"), nothing, "invalid_tool_input"),
    "a URL with a password": (call("https://a:b@cats.example/"), nothing, "invalid_tool_input"),
    "a rule that is none": (call(allowed_domains=["*.example"]), nothing, "invalid_tool_input"),
    "a long URL": (call(LONG), nothing, "url_too_long"),
    "a URL out of nowhere": (call(URL, []), nothing, "url_not_in_prior_context"),
    "a blocked domain": (call(**BLOCKED), nothing, "url_not_allowed"),
    "a redirect to another domain": (call(**ELSEWHERE), of_file(b"x", "text/plain", "https://e.example/"), "url_not_allowed"),
    "an inner address": (call(), of_fault(NotAllowed("inside")), "url_not_allowed"),
    "another scheme": (call(), of_fault(NotHttps("ftp")), "url_not_allowed"),
    "a robots.txt": (call(), of_fault(RobotsDisallow("robots")), "url_not_allowed"),
    "an unreachable host": (call(), of_fault(Unreachable("500")), "url_not_accessible"),
    "any other fault": (call(), of_fault(FetchFault("new")), "url_not_accessible"),
    "a host that has had enough": (call(), of_fault(Throttled("429")), "too_many_requests"),
    "a large file": (call(), of_fault(TooLarge("11 MB")), "content_too_large"),
    "a picture": (call(), of_file(PNG, "image/png"), "unsupported_content_type"),
    "a picture that says it is a page": (call(), of_file(PNG, "text/html"), "unsupported_content_type"),
    "a picture that says it is text": (call(), of_file(PNG, "text/plain"), "unsupported_content_type"),
    "bytes without a name": (call(), of_file(PNG, ""), "unsupported_content_type"),
    "a page that says it is a PDF": (call(), of_file(b"<html>", "application/pdf"), "unsupported_content_type"),
    "an empty text": (call(), of_file(b" \n", "text/plain"), "unsupported_content_type"),
    "an empty page": (call(), of_media(MediaProblem("page", "empty")), "unsupported_content_type"),
    "a page that wears the reader out": (call(), of_media(MediaProblem("page", "timeout")), "unsupported_content_type"),
    "a page that breaks the reader": (call(), of_media(MediaProblem("page", "crashed")), "unsupported_content_type"),
    "a locked PDF": (call(), of_media(MediaProblem("pdf", "locked"), "application/pdf"), "unsupported_content_type"),
    "a broken PDF": (call(), of_media(MediaProblem("pdf", "broken"), "application/pdf"), "unsupported_content_type"),
    "a long PDF": (
        call(), of_media(MediaProblem("pdf", "too_many_pages", 900, 100), "application/pdf"), "content_too_large"
    ),
    "a busy reader": (call(), of_media(MediaUnavailable("busy", busy=True)), "too_many_requests"),
    "a reader that is gone": (call(), of_media(MediaUnavailable("closed")), "unavailable"),
}  # fmt: skip


@pytest.mark.promise("web-tools.fetch-errors")
@pytest.mark.parametrize("name", ERRORS)
async def test_each_failure_has_the_code_that_the_api_documents_for_it(name: str):
    asked, arrange, code = ERRORS[name]
    bench = Bench()
    arrange(bench)
    assert (await problem(bench, asked)).code == code


def test_every_documented_code_but_the_callers_own_is_in_the_table():
    assert {code for _, _, code in ERRORS.values()} == CODES - {"max_uses_exceeded"}


@pytest.mark.promise("web-tools.fetch-errors")
async def test_a_page_that_never_comes_is_given_up_and_what_waits_for_it_is_too_much():
    bench = Bench(settings=WebFetchSettings(timeout=0.2, parallel=1))
    bench.files.gate = asyncio.Event()
    async with asyncio.timeout(WAIT):
        first = asyncio.create_task(problem(bench, call()))
        second = asyncio.create_task(problem(bench, call()))
        assert {(await first).code, (await second).code} <= {"url_not_accessible", "too_many_requests"}
        assert (await first).code == "url_not_accessible"
        bench.files.gate.set()
        bench.files.put(b"cats")
        assert await bench.data() == "cats"


async def test_an_http_url_is_tried_as_https():
    bench = Bench()
    plain = "http://cats.example/sleep"
    bench.files.files[plain] = NotHttps("http")
    bench.files.put(b"cats")
    assert (await bench.fetched(plain))["url"] == plain
    assert bench.files.asked == [plain, URL]


@pytest.mark.promise("web-tools.fetch-cache")
async def test_a_page_is_taken_from_the_cache_until_it_is_too_old_or_the_request_wants_a_fresh_one():
    bench = Bench()
    bench.files.put(b"old")
    assert await bench.data() == "old"
    bench.files.put(b"new")
    bench.clock.time += 899
    kept = await bench.fetched()
    assert (kept["content"]["source"]["data"], kept["retrieved_at"]) == ("old", "2026-02-02T02:40:00Z")
    assert await bench.data(use_cache=False) == "new"
    assert await bench.data(use_cache=True) == "new"
    bench.files.put(b"newest")
    bench.clock.time += 900
    assert await bench.data() == "newest"
    assert len(bench.files.asked) == 3


@pytest.mark.promise("web-tools.fetch-cache")
async def test_the_cache_opens_no_way_around_the_rules():
    bench = Bench()
    bench.files.put(b"x", at="https://elsewhere.example/")
    await bench.fetched()
    assert (await problem(bench, call(**ELSEWHERE))).code == "url_not_allowed"
    assert (await problem(bench, call(URL, []))).code == "url_not_in_prior_context"


def test_the_cache_takes_bounded_memory_and_drops_what_was_not_asked_for_longest():
    clock = FixedClock()
    cache = PageCache(10_000, 60, clock.now)

    def page(name: str, size: int = 2000) -> Page:
        return Page(name, False, "x" * size, None, 0)

    for name in "abc":
        cache.put(name, page(name))
    assert cache.get("a") is not None
    cache.put("d", page("d"))
    assert [cache.get(name) is not None for name in "abcd"] == [True, False, True, True]
    cache.put("huge", page("huge", 10_000))
    cache.put("wide", Page("wide", False, "猫" * 2500, None, 0))
    assert [cache.get(name) is not None for name in ("huge", "wide", "a")] == [False, False, True]
    cache.put("a", page("a", 3000))
    assert cache.size <= 10_000
    clock.time += 60
    assert [cache.get(name) for name in "acd"] == [None, None, None]
    assert cache.size == 0


@pytest.mark.promise("web-tools.told")
def test_the_model_is_told_a_tool_with_a_schema_and_which_pages_it_may_fetch():
    told = Bench().tool.told({"allowed_domains": ["a.it"]})
    jsonschema.Draft202012Validator.check_schema(told.schema)
    jsonschema.validate({"url": URL}, told.schema)
    assert told.name == "web_fetch"
    assert "a.it" in told.description


async def test_an_estimate_of_ones_own_cuts_the_text():
    from antiphon.tools.web_fetch import WebFetch

    bench = Bench()
    bench.files.put(b"one two three four five")
    tool = WebFetch(bench.settings, bench.files, bench.reader, bench.clock, tokens=lambda text: len(text.split()))
    content: Mapping[str, Any] = (await tool.run(call(max_content_tokens=2))).content
    assert len(content["content"]["source"]["data"].split()) == 2
