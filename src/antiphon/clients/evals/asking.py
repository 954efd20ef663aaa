"""Puts cases to a served model, several at once, through the Messages API."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import aiohttp
import orjson

from antiphon.clients.evals.cases import Call, Case, Passage
from antiphon.clients.evals.scoring import Outcome, Reply, judge
from antiphon.words import unreached

VERSION: Final = "2023-06-01"

PATIENCE: Final = 600.0

_SHOWN: Final = 300


class UnreachableError(Exception):
    """There is no server to ask. The text says where."""


@dataclass(frozen=True, slots=True)
class Target:
    """A served model: the server's base URL, a key, and the name to ask for."""

    url: str
    key: str
    model: str


class Asking:
    """Asks every case once: temperature 0, no thinking, the choice of tools left to the model.

    `outcomes` fills while `run` works and keeps what is there when it is interrupted. `told` is called for each.
    """

    def __init__(
        self, cases: Sequence[Case], max_tokens: int, parallel: int, told: Callable[[Outcome], None]
    ) -> None:
        self.cases = cases
        self.outcomes: list[Outcome] = []
        self.interrupted = False
        self._max_tokens = max_tokens
        self._parallel = parallel
        self._told = told
        self._workers: list[asyncio.Task[None]] = []

    async def run(self, target: Target) -> None:
        """Ask what has not been asked, `parallel` cases at once. Raises `UnreachableError`."""
        waiting = iter(self.cases)
        timeout = aiohttp.ClientTimeout(total=PATIENCE)
        # A proxy of the environment may stand before another host's server, never before this machine's loopback.
        async with aiohttp.ClientSession(timeout=timeout, trust_env=not _is_loopback(target.url)) as session:
            self._workers = [asyncio.create_task(self._work(session, target, waiting)) for _ in range(self._parallel)]
            try:
                await asyncio.gather(*self._workers)
            except asyncio.CancelledError:
                if not self.interrupted:
                    raise
            finally:
                for worker in self._workers:
                    worker.cancel()
                await asyncio.gather(*self._workers, return_exceptions=True)

    def interrupt(self) -> None:
        """Ask no more, and drop what is being asked."""
        self.interrupted = True
        for worker in self._workers:
            worker.cancel()

    async def _work(self, session: aiohttp.ClientSession, target: Target, waiting: Iterator[Case]) -> None:
        for case in waiting:
            outcome = judge(case, await ask(session, target, case, self._max_tokens))
            self.outcomes.append(outcome)
            self._told(outcome)


async def ask(session: aiohttp.ClientSession, target: Target, case: Case, max_tokens: int) -> Reply:
    """The reply to one case; an answer that is an error is a reply too. Raises `UnreachableError`."""
    body = {**case.request, "model": target.model, "max_tokens": max_tokens, "temperature": 0}
    if "tools" in case.request:
        body["tool_choice"] = {"type": "auto"}
    headers = {"x-api-key": target.key, "anthropic-version": VERSION, "content-type": "application/json"}
    try:
        url = f"{target.url.rstrip('/')}/v1/messages"
        async with session.post(url, data=orjson.dumps(body), headers=headers) as answer:
            status, data = answer.status, await answer.read()
    except aiohttp.ClientConnectorError as problem:
        raise UnreachableError(unreached(target.url, problem)) from problem
    except (aiohttp.ClientError, TimeoutError) as problem:
        return Reply(error=f"{type(problem).__name__}: {problem}")
    return read_reply(status, data)


def read_reply(status: int, data: bytes) -> Reply:
    """What a response says."""
    if status != 200:
        return Reply(error=f"{status}: {data.decode('utf-8', 'replace')[:_SHOWN]}")
    try:
        blocks = cast("list[dict[str, Any]]", orjson.loads(data)["content"])
        calls = [Call(block["name"], block["input"]) for block in blocks if block["type"] == "tool_use"]
        texts = [str(block["text"]) for block in blocks if block["type"] == "text"]
        cites, found = _cited(blocks), _found(blocks)
        searches = sum(_is_search(block) for block in blocks)
    except (orjson.JSONDecodeError, KeyError, TypeError) as problem:
        return Reply(error=f"not a message: {problem!r} in {data.decode('utf-8', 'replace')[:_SHOWN]}")
    return Reply(tuple(calls), "".join(texts), "", cites, searches, found)


def _cited(blocks: Sequence[Mapping[str, Any]]) -> tuple[Passage, ...]:
    """What the texts cite of what the request gave to read; search results and documents are counted apart."""
    said = (one for block in blocks if block["type"] == "text" for one in block.get("citations") or ())
    places = ((one.get("document_index", one.get("search_result_index")), one["cited_text"]) for one in said)
    return tuple(Passage(source, text) for source, text in places if source is not None)


def _found(blocks: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """The tools that searches found; a search that failed found none."""
    results = (block["content"] for block in blocks if block["type"] == "tool_search_tool_result")
    return tuple(one["tool_name"] for result in results for one in result.get("tool_references") or ())


def _is_search(block: Mapping[str, Any]) -> bool:
    return block["type"] == "server_tool_use" and str(block["name"]).startswith("tool_search_tool")


async def first_model(url: str, key: str) -> str:
    """The first name in a server's list of models, empty where it has none. Raises `UnreachableError`."""
    headers = {"x-api-key": key, "anthropic-version": VERSION}
    timeout = aiohttp.ClientTimeout(total=30)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=not _is_loopback(url)) as session,
            session.get(f"{url.rstrip('/')}/v1/models", headers=headers) as answer,
        ):
            return str(orjson.loads(await answer.read())["data"][0]["id"])
    except (aiohttp.ClientConnectionError, aiohttp.InvalidURL, TimeoutError) as problem:
        raise UnreachableError(unreached(url, problem)) from problem
    except (aiohttp.ClientError, orjson.JSONDecodeError, LookupError, TypeError):
        return ""


def _is_loopback(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "http://localhost:", "http://[::1]:"))
