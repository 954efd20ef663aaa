"""`web_fetch` as it is served: over real connections to a small web on loopback, with the guard and real readers."""

import asyncio
import base64
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from antiphon.config import NetworkSettings, WebFetchSettings
from antiphon.media.reader import Bounds, Reader
from antiphon.network import FetchLimits, GuardedFetcher
from antiphon.ports.server_tools import ServerCall, ToolProblem
from antiphon.testing import FixedClock
from antiphon.tools.web_fetch import FileReader, WebFetch
from tests.media.pdf_writer import TITLE, document
from tests.network.stand_in import Answer, StandIn, pour
from tests.tools.fetching import Reading, call

MIB = 1024 * 1024
TIMEOUT = 10.0
SHORT = 0.8
READING = 1.5
# Starting a reader's process, on a machine that does other things too.
SLACK = 25.0
ARTICLE = "The okapi is a shy animal of the rain forest, and for a long time nobody believed in it. " * 5
PAGE = f"""<!doctype html><html><head><title>The okapi</title></head><body><nav>Menu</nav>
<article><h1>The okapi</h1><p>{ARTICLE}</p><p>{ARTICLE} It is kin to <a href="/giraffe">the giraffe</a>.</p></article>
<script>alert(1)</script></body></html>""".encode()


@dataclass
class SmallWeb:
    """A host, and the tool that fetches from it."""

    host: StandIn
    tool: WebFetch

    async def fetched(self, path: str, **settings: Any) -> dict[str, Any]:
        """The content of the result block."""
        async with asyncio.timeout(TIMEOUT + SLACK):
            return (await self.tool.run(call(self.host.url(path), **settings))).content

    async def code(self, path: str) -> str:
        """The code that the call ends with."""
        with pytest.raises(ToolProblem) as caught:
            await self.fetched(path)
        return caught.value.code


@asynccontextmanager
async def small_web(reader: FileReader, timeout: float) -> AsyncGenerator[SmallWeb]:  # noqa: ASYNC109 - in seconds
    """The tool with a real fetcher; `timeout`: what the fetcher gives a host."""
    async with StandIn() as host:
        network = NetworkSettings((host.allowed,), str(host.ca_file), timeout)
        fetcher = GuardedFetcher(network, limits=FetchLimits(silence=0.5))
        settings = WebFetchSettings(max_bytes=5 * MIB, timeout=TIMEOUT + SLACK)
        tool = WebFetch(settings, fetcher, reader, FixedClock())
        yield SmallWeb(host, tool)
        await tool.aclose()
        await fetcher.aclose()


@pytest.fixture
async def web() -> AsyncGenerator[SmallWeb]:
    """With a real reader, too."""
    reader = Reader(Bounds(workers=1, article=READING))
    async with small_web(reader, TIMEOUT) as web:
        yield web
    await reader.aclose()


@pytest.mark.promise("web-tools.fetch")
async def test_pages_pdfs_and_texts_of_a_real_host_are_read(web: SmallWeb):
    web.host.serve("/okapi", PAGE, "text/html; charset=utf-8")
    web.host.serve("/report.pdf", document(2), "application/pdf")
    web.host.serve("/notes.txt", "Ünïcode notes".encode("latin-1"), "text/plain; charset=iso-8859-1")
    web.host.redirect("/old", "/notes.txt")
    page = (await web.fetched("/okapi"))["content"]
    assert page["title"] == "The okapi"
    assert f"[the giraffe]({web.host.url('/giraffe')})" in page["source"]["data"]
    assert "Menu" not in page["source"]["data"]
    assert "alert" not in page["source"]["data"]
    report = (await web.fetched("/report.pdf"))["content"]
    assert report["title"] == TITLE
    assert base64.b64decode(report["source"]["data"]) == document(2)
    assert (await web.fetched("/notes.txt"))["content"]["source"]["data"] == "Ünïcode notes"
    assert (await web.fetched("/old"))["content"]["source"]["data"] == "Ünïcode notes"


async def hang(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100\r\n\r\n<p>")
    await writer.drain()
    await asyncio.Event().wait()


async def drip(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
    await pour(writer, b"<p>x", 0.05)


async def flood(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
    await pour(writer, b"<p>x</p>" * 10_000)


def raw(data: bytes) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    return answer


def html(head: bytes, body: bytes = b"") -> Answer:
    return raw(b"HTTP/1.1 " + head + b"\r\n\r\n" + body)


HOSTS: dict[str, tuple[Answer, str]] = {
    "hangs": (hang, "url_not_accessible"),
    "sends without an end": (flood, "content_too_large"),
    "sends 10 MB": (
        html(b"200 OK\r\nContent-Type: text/html\r\nContent-Length: 10485760", b"x" * (10 * MIB)), "content_too_large"
    ),
    "promises more than it sends": (
        html(b"200 OK\r\nContent-Type: text/html\r\nContent-Length: 9000", b"<p>x"), "url_not_accessible"
    ),
    "closes the connection": (raw(b""), "url_not_accessible"),
    "speaks another protocol": (raw(b"SSH-2.0-x\r\n"), "url_not_accessible"),
    "is broken": (html(b"500 Oops\r\nContent-Length: 0"), "url_not_accessible"),
    "is not found": (html(b"404 No\r\nContent-Length: 0"), "url_not_accessible"),
    "has had enough": (html(b"429 Slow\r\nContent-Length: 0"), "too_many_requests"),
    "redirects inside": (html(b"302 Found\r\nLocation: https://169.254.169.254/\r\nContent-Length: 0"), "url_not_allowed"),
    "redirects in a circle": (html(b"302 Found\r\nLocation: /trouble\r\nContent-Length: 0"), "url_not_accessible"),
}  # fmt: skip
FILES: dict[str, tuple[Answer, str]] = {
    "lies about its type": (
        html(b"200 OK\r\nContent-Type: application/pdf\r\nContent-Length: 4", b"<p>x"), "unsupported_content_type"
    ),
    "sends a PDF that is none": (
        html(b"200 OK\r\nContent-Type: application/pdf\r\nContent-Length: 9", b"%PDF-1.7\n"), "unsupported_content_type"
    ),
    "sends a picture": (
        html(b"200 OK\r\nContent-Type: image/png\r\nContent-Length: 4", b"\x89PNG"), "unsupported_content_type"
    ),
    "has nothing to read": (
        html(b"200 OK\r\nContent-Type: text/html\r\nContent-Length: 22", b"<script>run()</script>"),
        "unsupported_content_type",
    ),
    "wears the reader out": (
        html(b"200 OK\r\nContent-Type: text/html\r\nContent-Length: 2000000", b"<![CDATA[" * 222_222 + b"xx"),
        "unsupported_content_type",
    ),
}  # fmt: skip


@pytest.mark.promise("web-tools.chaos")
@pytest.mark.parametrize("trouble", HOSTS)
async def test_a_host_in_trouble_ends_in_time_with_the_documented_code_and_the_next_page_is_read(trouble: str):
    # What the host does ends before there is anything to read.
    async with small_web(Reading(), TIMEOUT) as web:
        await trouble_on(web, *HOSTS[trouble])


@pytest.mark.promise("web-tools.chaos")
async def test_a_host_that_drips_for_ever_ends_in_time():
    async with small_web(Reading(), SHORT) as web:
        await trouble_on(web, drip, "url_not_accessible")


@pytest.mark.promise("web-tools.chaos")
@pytest.mark.parametrize("trouble", FILES)
async def test_a_file_in_disguise_ends_in_time_with_the_documented_code_and_the_next_page_is_read(
    web: SmallWeb, trouble: str
):
    await trouble_on(web, *FILES[trouble])


async def trouble_on(web: SmallWeb, answer: Answer, code: str) -> None:
    web.host.behave("/trouble", answer)
    web.host.serve("/okapi", PAGE, "text/html")
    began = time.monotonic()
    assert await web.code("/trouble") == code
    assert time.monotonic() - began < TIMEOUT + SLACK
    assert "shy animal" in (await web.fetched("/okapi"))["content"]["source"]["data"].lower()


@pytest.mark.promise("web-tools.seen-urls")
@pytest.mark.parametrize("url", ["https://127.0.0.1/", "http://169.254.169.254/latest", "https://localhost:1/"])
async def test_a_seen_url_of_the_inside_is_not_fetched(web: SmallWeb, url: str):
    with pytest.raises(ToolProblem) as caught:
        await web.tool.run(call(url))
    assert caught.value.code == "url_not_allowed"


async def test_cancelling_a_fetch_leaves_the_tool_ready(web: SmallWeb):
    begun = asyncio.Event()

    async def hanging(writer: asyncio.StreamWriter) -> None:
        begun.set()
        await hang(writer)

    web.host.behave("/hang", hanging)
    web.host.serve("/notes.txt", b"notes", "text/plain")
    asked: ServerCall = call(web.host.url("/hang"))
    running = [asyncio.create_task(web.tool.run(asked)) for _ in range(20)]
    async with asyncio.timeout(SLACK):
        await begun.wait()
        for task in running:
            task.cancel()
        assert {type(end) for end in await asyncio.gather(*running, return_exceptions=True)} == {
            asyncio.CancelledError
        }
    assert (await web.fetched("/notes.txt"))["content"]["source"]["data"] == "notes"
