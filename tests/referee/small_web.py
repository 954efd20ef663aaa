"""A search engine and a host with pages, on loopback, for servers that run as processes of their own."""

import asyncio
import threading
from collections.abc import Coroutine, Generator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.network.stand_in import StandIn
from tests.tools.stand_ins import SearXNGStandIn, WebPage
from tests.tools.wiki import WikiStandIn

WAIT = 20.0
CITING = 'Qubits <cite search_result="1">correct their own errors</cite>, <cite document="1">at last</cite>.'
ARTICLES = (
    WebPage(
        "https://en.wikipedia.org/wiki/Qubit",
        "Qubit",
        "All about qubits in quantum computing.",
        "2026-10-09T08:07:06Z",
    ),
    WebPage(
        "https://en.wikipedia.org/wiki/Quantum_error_correction",
        "Error correction",
        "All about error correction in quantum computing.",
    ),
)
PAGE = f"""<!doctype html><title>Qubits</title><article><h1>Qubits</h1>
<p>{"A qubit is a small thing that computes. " * 12}</p><p>They are stable at last.</p></article>"""


@dataclass
class SmallWeb:
    """Both, and the loop that they run on, in a thread of its own."""

    engine: SearXNGStandIn
    host: StandIn
    loop: asyncio.AbstractEventLoop
    stack: AsyncExitStack

    def settings(self, script: Path | None, more: str = "") -> str:
        """A configuration that offers both tools over them. `script`: what the model writes, in which HOST stands for
        where the host is; None: the built-in model answers. `more`: keys of `[server_tools]`."""
        model = ""
        if script is not None:
            script.write_text(script.read_text("utf-8").replace("HOST", self.host.url("")), "utf-8")
            model = f'model = "script:{script}"'
        return f"""
{model}
[network]
allow_hosts = ["localhost:{self.host.port}"]
ca_file = "{self.host.ca_file}"
[server_tools]
{more}
[server_tools.web_search]
url = "{self.engine.url}"
timeout = 15
[server_tools.web_fetch]
"""

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it where they are."""
        asyncio.run_coroutine_threadsafe(work, self.loop).result(WAIT)


@contextmanager
def small_web() -> Generator[SmallWeb]:
    """Both, as long as the context is open."""
    with loop_in_thread() as loop:
        web = SmallWeb(SearXNGStandIn(), StandIn(), loop, AsyncExitStack())

        async def begin() -> None:
            await web.stack.enter_async_context(web.engine)
            await web.stack.enter_async_context(web.host)
            web.host.serve("/qubits", PAGE.encode(), "text/html")
            url = web.host.url("/qubits")
            web.engine.pages = (WebPage(url, "Quantum news", "Quantum computers correct their own errors."),)

        try:
            web.run(begin())
            yield web
        finally:
            web.run(web.stack.aclose())


@contextmanager
def small_wiki() -> Generator[WikiStandIn]:
    """A wiki with two articles, as long as the context is open."""
    with loop_in_thread() as loop:
        wiki = WikiStandIn(pages=ARTICLES)
        asyncio.run_coroutine_threadsafe(wiki.__aenter__(), loop).result(WAIT)
        try:
            yield wiki
        finally:
            asyncio.run_coroutine_threadsafe(wiki.__aexit__(), loop).result(WAIT)


@contextmanager
def loop_in_thread() -> Generator[asyncio.AbstractEventLoop]:
    """A loop that runs in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        asyncio.run_coroutine_threadsafe(_wound_up(), loop).result(WAIT)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(WAIT)
        loop.close()


async def _wound_up() -> None:
    """Nothing is left running, and every connection that was let go of is closed: that takes a few turns more."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for _ in range(20):
        await asyncio.sleep(0)
