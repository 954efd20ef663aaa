"""Server tools of a request: which of its tools the server runs, which calls wait, which URLs have been seen.

Source: API reference, Server tools; Web fetch tool, URL validation; Stop reasons.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from antiphon.dialogue.tools import Result, Tool
from antiphon.ports.server_tools import ServerTool
from antiphon.request.case import Case, Found, Placed, blocks_of
from antiphon.request.tools.from_code import (
    NO_ANSWERS,
    Answers,
    answers_for,
    brought,
    functions_of,
    is_served_call,
    runs_cells,
)
from antiphon.request.tools.mcp import fitting
from antiphon.request.tools.roster import at_the_end
from antiphon.request.tools.toolbox import settings_of
from antiphon.wire.content.blocks import (
    BashCodeExecutionToolResultBlock,
    CodeExecutionToolResultBlock,
    DocumentBlock,
    McpToolResultBlock,
    McpToolUseBlock,
    OwnResultBlock,
    SearchResultBlock,
    ServerToolUseBlock,
    TextBlock,
    TextEditorCodeExecutionToolResultBlock,
    ToolResultBlock,
    ToolSearchToolResultBlock,
    ToolUseBlock,
    WebFetchToolResultBlock,
    WebSearchToolResultBlock,
)
from antiphon.wire.content.results import WebFetchResult
from antiphon.wire.content.sources import ContentSource, PlainText
from antiphon.wire.tools.server import SourceExcept, SourceNone, SourceOnly, ToolSources, UrlSources

Json = dict[str, Any]

_URL: Final = re.compile(r"https?://[^\s<>\"'\\^`{|}]+", re.IGNORECASE)

_ANSWERS: Final = (
    WebSearchToolResultBlock,
    WebFetchToolResultBlock,
    ToolSearchToolResultBlock,
    BashCodeExecutionToolResultBlock,
    TextEditorCodeExecutionToolResultBlock,
    CodeExecutionToolResultBlock,
    McpToolResultBlock,
    OwnResultBlock,
)

Waiting = ServerToolUseBlock | McpToolUseBlock
"""A call that the server has to answer."""

_BEHIND: Final = ".,;:!?)]*_"
"""What stands behind a URL in a text more often than it ends one."""


@dataclass(frozen=True, slots=True)
class Offered:
    """A tool that the reply may call and the server runs. `settings`: what the request's definition says.

    `seen`: the URLs that the conversation may fetch; `sees`: those that it may fetch as well once a tool of this name
    has come to this. `searchable`: the tools that it may find. `functions`: the tools that its code may call;
    `answers`: what those came to that it did call.
    """

    tool: ServerTool
    settings: Mapping[str, Any]
    seen: Callable[[], frozenset[str]]
    searchable: Callable[[], Mapping[str, tuple[Tool, ...]]]
    functions: Callable[[], Mapping[str, str]] = dict
    answers: Callable[[str], Answers] = lambda call: NO_ANSWERS
    sees: Callable[[str, Any], frozenset[str]] = lambda name, content: frozenset()


def offered(case: Case, found: Found, carried: Iterable[str] = ()) -> dict[str, Offered]:
    """The server tools of a request, by name; a later definition takes an earlier one's place.

    `carried`: the deferred tools that had been found before the summary which the conversation begins with."""

    def searchable() -> Mapping[str, tuple[Tool, ...]]:
        return at_the_end(case, carried).deferred()

    def functions() -> Mapping[str, str]:
        return functions_of(case, at_the_end(case, carried).tools()) if runs_cells(case) else {}

    def answers(call: str) -> Answers:
        return answers_for(case, call)

    tools: dict[str, Offered] = {}
    for _, definition in case.definitions:
        for tool in case.server_tools.answering(definition.type):
            sources = getattr(definition, "url_sources", None)
            tools[tool.name] = Offered(
                tool,
                settings_of(definition),
                lambda s=sources: seen_urls(case, found, s),
                searchable,
                functions,
                answers,
                lambda name, content, s=sources: seen_in(s, name, content),
            )
    if (along := brought(case)) is not None:
        tool, settings = along
        tools[tool.name] = Offered(tool, settings, frozenset, searchable, functions, answers)
    return tools


def waiting(case: Case) -> tuple[Waiting, ...]:
    """The calls at the conversation's end that the server has not answered."""
    if case.kinds.isdisjoint(("server_tool_use", "mcp_tool_use")) or case.summarizes:
        return ()
    calls: dict[str, Waiting] = {}
    for item in case.told:
        if isinstance(item.block, Waiting):
            # What code has called is the code's to ask for again.
            if not is_served_call(item.block):
                calls[item.block.id] = item.block
        elif isinstance(item.block, _ANSWERS):
            calls.pop(item.block.tool_use_id, None)
    return tuple(calls.values())


def awaited(case: Case) -> Iterator[Result]:
    """What stands for the results that are still to come, where a prompt is only to be measured."""
    return (Result(call.id, spoken_by(case, call), "") for call in waiting(case))


def spoken_by(case: Case, call: Waiting) -> str:
    """The name under which the model knows the tool that a call is of; that of one which is gone is made fit to be
    one."""
    if isinstance(call, ServerToolUseBlock):
        return call.name
    known = case.mcp_tools.get((call.server_name, call.name))
    return fitting(call.name) if known is None else known.name


def seen_urls(case: Case, found: Found, sources: UrlSources | None) -> frozenset[str]:
    """The URLs that stand in the conversation as far as the tool takes them from there, as they are written."""
    sources = sources or UrlSources()
    names: dict[str, str] = {}
    urls: set[str] = set()
    for item in case.told:
        match item.block:
            case ToolUseBlock(id=call, name=name):
                # Another turn may use the same id again.
                names[call] = name
            case ToolResultBlock(tool_use_id=call):
                taken = _takes(sources.client_tool_results, names.get(call, ""))
                urls |= _written(item) if taken else set()
            case WebSearchToolResultBlock(content=list(results)):
                if _takes(sources.server_tool_results, "web_search"):
                    urls |= {result.url for result in results}
                    urls.update(url for text in found.get((item.message, item.position), ()) for url in urls_in(text))
            case WebFetchToolResultBlock(content=WebFetchResult() as page):
                if _takes(sources.server_tool_results, "web_fetch"):
                    urls |= {page.url, *_in_document(page.content)}
            case _:
                role = case.request.messages[item.message].role
                if role == "user" and not isinstance(sources.user_input, SourceNone):
                    urls |= _written(item)
    return frozenset(urls)


def seen_in(sources: UrlSources | None, name: str, content: Any) -> frozenset[str]:
    """The URLs in what a tool of this name has returned, as far as the tool of these sources takes them there."""
    if not _takes((sources or UrlSources()).server_tool_results, name):
        return frozenset()
    match content:
        case [*_]:
            hits = cast("list[Json]", content)
            return frozenset(url for hit in hits for url in (hit["url"], *urls_in(hit["encrypted_content"])))
        case {"url": str(url), "content": {"source": {"type": "text", "data": str(text)}}}:
            return frozenset((url, *urls_in(text)))
        case {"url": str(url)}:
            return frozenset((url,))
        case _:
            return frozenset()


def urls_in(text: str) -> Iterator[str]:
    """The URLs in a text; each also without one or more of the characters that may only end the sentence."""
    for match in _URL.findall(text):
        least = len(match.rstrip(_BEHIND))
        yield from (match[:end] for end in range(least, len(match) + 1))


def _takes(sources: ToolSources | None, name: str) -> bool:
    match sources:
        case SourceNone():
            return False
        case SourceOnly(tools=tools):
            return any(tool.name == name for tool in tools)
        case SourceExcept(tools=tools):
            return all(tool.name != name for tool in tools)
        case _:
            return True


def _written(item: Placed) -> set[str]:
    urls: set[str] = set()
    if isinstance(item.block, ToolResultBlock) and isinstance(item.block.content, str):
        return set(urls_in(item.block.content))
    for _, block in blocks_of(item.path, item.block):
        if isinstance(block, TextBlock):
            urls.update(urls_in(block.text))
        elif isinstance(block, SearchResultBlock):
            urls.update(urls_in(block.source))
        elif isinstance(block, DocumentBlock):
            urls.update(_in_document(block))
    return urls


def _in_document(document: DocumentBlock) -> Iterator[str]:
    match document.source:
        case PlainText(data=text) | ContentSource(content=str(text)):
            yield from urls_in(text)
        case ContentSource(content=list(blocks)):
            for block in blocks:
                if isinstance(block, TextBlock):
                    yield from urls_in(block.text)
        case _:
            return
