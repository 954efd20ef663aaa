"""What server tools found, from the wire to what the model reads: search results, fetched pages, errors.

The text of a search result travels sealed, bound to its page. One that does not open was not found by this
server, and is refused like a forged thought. Source: API reference, Web search tool; Web fetch tool.
"""

import json
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, cast

from antiphon.dialogue.content import Content, Document, SearchResult, Text
from antiphon.dialogue.tools import Result
from antiphon.request.case import Found, Placed
from antiphon.request.media.wanted import cites
from antiphon.request.told.citing import Shown
from antiphon.request.told.code import CodeResultBlock, told_code
from antiphon.request.told.contents import told_content
from antiphon.wire.content.blocks import (
    OwnResultBlock,
    ToolSearchToolResultBlock,
    WebFetchToolResultBlock,
    WebSearchToolResultBlock,
)
from antiphon.wire.content.results import (
    ToolSearchError,
    ToolSearchResult,
    WebFetchError,
    WebFetchResult,
    WebSearchError,
    WebSearchResult,
)

ServerResultBlock = (
    WebSearchToolResultBlock | WebFetchToolResultBlock | ToolSearchToolResultBlock | CodeResultBlock | OwnResultBlock
)
"""The result blocks that the model can be told of."""

CITE_FORM: Final = 'Put words that rest on one of these between <cite {source}="INDEX"> and </cite>.'
"""What the model is told behind sources that it may cite."""

_WORDS: Final = MappingProxyType(
    {
        "invalid_tool_input": "the input of the call is not what the tool takes",
        "max_uses_exceeded": "the tool may not be used again in this reply; answer with what you have",
        "url_not_in_prior_context": "only a URL that stands in the conversation can be fetched",
        "unavailable": "the tool cannot be used now",
    }
)


def told_server_result(
    item: Placed, block: ServerResultBlock, name: str, found: Found, shown: Shown, *, cited: bool
) -> Result:
    """The result of a call of the server tool `name`, as the model is told of it. `cited`: the answer may cite."""
    if isinstance(block, OwnResultBlock):
        return _own(block, name)
    if isinstance(block, CodeResultBlock):
        return told_code(block, name, *found.get((item.message, item.position), ()))
    match block.content:
        case WebSearchError(error_code=code) | WebFetchError(error_code=code):
            return Result(block.tool_use_id, name, _in_words(code), is_error=True)
        case ToolSearchError(error_code=code, error_message=said):
            return Result(block.tool_use_id, name, f"{code}: {said}" if said else _in_words(code), is_error=True)
        case ToolSearchResult(tool_references=found_tools):
            names = tuple(reference.tool_name for reference in found_tools)
            return Result(block.tool_use_id, name, "" if names else "No tools were found.", found=names)
        case WebFetchResult() as page:
            return Result(block.tool_use_id, name, "", parts=_page(item, page, shown, cited=cited))
        case results:
            texts = found[item.message, item.position]
            hits = [_hit(result, text, cited=cited) for result, text in zip(results, texts, strict=True)]
            if not hits:
                return Result(block.tool_use_id, name, "Nothing was found.")
            form = [Text(CITE_FORM.format(source="search_result"))] if any(hit.citable for hit in hits) else []
            return Result(block.tool_use_id, name, "", parts=(*hits, *form))


def _own(block: OwnResultBlock, name: str) -> Result:
    """The result of a tool that nobody here knows: a text as it is, anything else as JSON, errors by their code."""
    content: Any = block.content
    if isinstance(content, str):
        return Result(block.tool_use_id, name, content)
    code: Any = cast("dict[str, Any]", content).get("error_code") if isinstance(content, dict) else None
    if isinstance(code, str):
        return Result(block.tool_use_id, name, _in_words(code), is_error=True)
    return Result(block.tool_use_id, name, json.dumps(content, ensure_ascii=False))


def _in_words(code: str) -> str:
    return f"{code}: {_WORDS[code]}" if code in _WORDS else code


def _hit(result: WebSearchResult, text: str, *, cited: bool) -> SearchResult:
    age = (Text(f"Age of the page: {result.page_age}"),) if result.page_age else ()
    return SearchResult(
        result.url, result.title, (*([Text(text)] if text else []), *age), citable=cited and bool(text)
    )


def _page(item: Placed, page: WebFetchResult, shown: Shown, *, cited: bool) -> tuple[Content, ...]:
    path = f"{item.path}.web_fetch_tool_result.content.content"
    document = told_content(path, page.content, replace(shown, cites=False))
    assert isinstance(document, Document)
    said = Text(f"Fetched from {page.url}")
    if not (cited and cites(page.content)):
        return said, document
    return said, replace(document, citable=True), Text(CITE_FORM.format(source="document"))
