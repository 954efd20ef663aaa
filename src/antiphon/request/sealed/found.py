"""The texts of search results that come back: opened, each bound to its page; and what code printed that searched.

One that does not open was not found by this server, and is refused like a forged thought. Source: API reference, Web
search tool."""

from types import MappingProxyType
from typing import Final

from antiphon.config import Foreign
from antiphon.request.case import Case, Found, Issue
from antiphon.seals import Seals
from antiphon.wire.content.blocks import CodeExecutionToolResultBlock, WebSearchToolResultBlock
from antiphon.wire.content.results import EncryptedCodeExecutionResult, WebSearchError, WebSearchResult

NOTHING_FOUND: Final[Found] = MappingProxyType({})


def page_of(result: WebSearchResult) -> str:
    """What the seal on a search result's text is bound to."""
    return bound_to(result.url, result.title)


def bound_to(url: str, title: str) -> str:
    """What the seals on texts of a page are bound to."""
    return f"{url}\n{title}"


def printed_by(call: str) -> str:
    """What the seal on an output of code is bound to. `call`: the id of the code's own call."""
    return bound_to("stdout", call)


def open_found(case: Case, seals: Seals, *, foreign: Foreign = "refuse") -> Issue | Found:
    """The texts of the search results that came back, or what is wrong with one of them.

    With `foreign="drop"` a text that does not open is left out, and the model is told of its page alone.
    """
    if case.kinds.isdisjoint(("web_search_tool_result", "code_execution_tool_result")):
        return NOTHING_FOUND
    opened: dict[tuple[int, int], tuple[str, ...]] = {}
    for item in case.told:
        if isinstance(item.block, CodeExecutionToolResultBlock):
            printed = item.block.content
            if isinstance(printed, EncryptedCodeExecutionResult):
                text = seals.open_found(printed.encrypted_stdout, printed_by(item.block.tool_use_id))
                if text is None and foreign == "refuse":
                    return Issue(
                        f"{item.path}.code_execution_tool_result.content: Invalid `encrypted_stdout` in "
                        "`encrypted_code_execution_result` block"
                    )
                opened[item.message, item.position] = (text or "",)
            continue
        if not isinstance(item.block, WebSearchToolResultBlock) or isinstance(item.block.content, WebSearchError):
            continue
        texts: list[str] = []
        for position, result in enumerate(item.block.content):
            text = seals.open_found(result.encrypted_content, page_of(result))
            if text is None and foreign == "refuse":
                return Issue(
                    f"{item.path}.web_search_tool_result.content.{position}: Invalid `encrypted_content` in "
                    "`web_search_result` block"
                )
            texts.append(text or "")
        opened[item.message, item.position] = tuple(texts)
    return MappingProxyType(opened)
