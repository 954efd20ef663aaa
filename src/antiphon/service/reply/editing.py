"""What the model reads once the request's edits have cleared old results of tools, and what they spared it.

An edit is made by length, so the prompt is made first, and once more for what is left of it. Source: API reference,
Context editing.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from msgspec import Struct

from antiphon.dialogue.conversation import Conversation
from antiphon.dialogue.rendered import RenderedPrompt
from antiphon.request.asked import Asked
from antiphon.request.told.clearing import clear, clearing_edits, entry, is_due, warned
from antiphon.wire.request import CountTokens, CreateMessage

Prompts = Callable[[Conversation], Awaitable[RenderedPrompt]]
"""The prompt of a conversation."""


class Read(Struct, frozen=True):
    """What the model reads. `unedited`: tokens of the prompt before results were cleared; `entries`: what the reply
    says of each edit that was made."""

    conversation: Conversation
    prompt: RenderedPrompt
    unedited: int
    entries: tuple[dict[str, Any], ...] = ()


async def read(
    asked: Asked[CreateMessage] | Asked[CountTokens], conversation: Conversation, prompt_of: Prompts
) -> Read:
    """The conversation and its prompt as the request's edits leave them; one that spares too little is not made."""
    prompt = await prompt_of(conversation)
    unedited = len(prompt.tokens)
    edits = clearing_edits(asked.case)
    entries: list[dict[str, Any]] = []
    for edit in edits:
        before = len(prompt.tokens)
        cleared = clear(edit, asked.case, conversation) if is_due(edit, conversation, before) else None
        if cleared is None:
            continue
        shorter = await prompt_of(cleared.conversation)
        spared = before - len(shorter.tokens)
        if spared < max(1, edit.clear_at_least.value if edit.clear_at_least is not None else 0):
            continue
        conversation, prompt = cleared.conversation, shorter
        entries.append(entry(cleared, spared))
    told = warned(edits, asked.case, conversation, unedited) if edits and not entries else None
    if told is not None:
        conversation, prompt = told, await prompt_of(told)
    return Read(conversation, prompt, unedited, tuple(entries))
