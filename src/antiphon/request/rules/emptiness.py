"""What a message may not leave empty. Source: API reference, Messages; texts as recorded.

A blank text is a mistake only where its message says nothing else in words and makes no call.
"""

from antiphon.request.case import Case, Issue, texts_of
from antiphon.wire.content.blocks import TextBlock


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


def no_blank_messages(case: Case) -> Issue | None:
    """A message with words has words that can be seen, or a call beside them."""
    texts: dict[int, list[str]] = {}
    calls: set[int] = set()
    for item in case.items:
        if isinstance(item.block, TextBlock):
            texts.setdefault(item.message, []).append(item.block.text)
        elif item.block.type == "tool_use":
            calls.add(item.message)
    if any(n not in calls and not any(text.strip() for text in said) for n, said in texts.items()):
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
    texts = [system] if isinstance(system, str) else [block.text for block in system or []]
    if not all(texts):
        return Issue("system: text content blocks must be non-empty")
    if any(not text.strip() for text in texts):
        return Issue("system: text content blocks must contain non-whitespace text")
    return None
