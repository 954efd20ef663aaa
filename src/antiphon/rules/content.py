"""What a message may not leave empty. Source: API reference, Messages; texts as recorded.

A blank text is a mistake only where its message says nothing else in words. An empty `system` string is no system
prompt; many clients send one.
"""

from collections.abc import Iterator

from antiphon.rules.case import Case, Issue, Placed
from antiphon.wire.blocks import (
    Block,
    DocumentBlock,
    ResultContent,
    SearchResultBlock,
    TextBlock,
    ToolResultBlock,
    WebFetchToolResultBlock,
)
from antiphon.wire.results import WebFetchResult
from antiphon.wire.sources import ContentSource


def no_empty_messages(case: Case) -> Issue | None:
    """Every message says something; the last one may be an assistant message that has not begun yet."""
    last = len(case.request.messages) - 1
    for n, message in enumerate(case.request.messages):
        if message.content or message.role == "system":
            continue
        if message.role == "user":
            return Issue(f"messages.{n}: user messages must have non-empty content")
        if n != last:
            return Issue(
                f"messages.{n}: all messages must have non-empty content except for the optional final "
                "assistant message"
            )
    return None


def no_empty_texts(case: Case) -> Issue | None:
    """No text block is empty, wherever it stands; one with a cache marker has an error of its own."""
    for item in case.items:
        for path, block in texts_of(item):
            if block.text:
                continue
            if block.cache_control is not None:
                return Issue(f"{path}.text: cache_control cannot be set for empty text blocks")
            return Issue("messages: text content blocks must be non-empty")
    return None


def blocks_of(path: str, block: Block | ResultContent) -> Iterator[tuple[str, Block | ResultContent]]:
    """A block and all those that it holds, in order, with their paths."""
    yield path, block
    match block:
        case ToolResultBlock(content=list(content)):
            within = f"{path}.tool_result.content"
        case SearchResultBlock(content=content):
            within = f"{path}.search_result.content"
        case DocumentBlock(source=ContentSource(content=list(content))):
            within = f"{path}.document.source.content.content"
        case WebFetchToolResultBlock(content=WebFetchResult(content=document)):
            yield from blocks_of(f"{path}.web_fetch_tool_result.content.content", document)
            return
        case _:
            return
    for position, inner in enumerate(content):
        yield from blocks_of(f"{within}.{position}", inner)


def texts_of(item: Placed) -> Iterator[tuple[str, TextBlock]]:
    """The text blocks in a block that the client wrote, itself included, with their paths."""
    for path, block in blocks_of(item.path, item.block):
        if isinstance(block, TextBlock):
            yield path, block


def no_blank_messages(case: Case) -> Issue | None:
    """A message with words has words that can be seen."""
    texts: dict[int, list[str]] = {}
    for item in case.items:
        if isinstance(item.block, TextBlock):
            texts.setdefault(item.message, []).append(item.block.text)
    if any(not any(text.strip() for text in said) for said in texts.values()):
        return Issue("messages: text content blocks must contain non-whitespace text")
    return None


def no_trailing_whitespace(case: Case) -> Issue | None:
    """What the model is to go on from does not end in whitespace."""
    final = case.turns[-1] if case.turns and not case.summarizes else None
    if final is None or final.role != "assistant" or not final.items:
        return None
    block = final.items[-1].block
    if isinstance(block, TextBlock) and block.text != block.text.rstrip():
        return Issue("messages: final assistant content cannot end with trailing whitespace")
    return None


def no_blank_system(case: Case) -> Issue | None:
    """A system prompt has words that can be seen."""
    system = case.request.system
    if isinstance(system, list):
        for position, block in enumerate(system):
            if not block.text and block.cache_control is not None:
                return Issue(f"system.{position}.text: cache_control cannot be set for empty text blocks")
    # An empty string stands for no system prompt.
    texts = ([system] if system else []) if isinstance(system, str) else [block.text for block in system or []]
    if any(not text.strip() for text in texts):
        return Issue("system: text content blocks must contain non-whitespace text")
    return None
