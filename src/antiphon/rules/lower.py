"""From the wire to the neutral conversation: what is left of a request when its rules have been kept.

Consecutive messages of one role become one turn. Thinking that comes back is left out: without thinking in the
request the API ignores it. A deferred tool is there once a result has named it. Source: API reference, Messages;
Mid-conversation system messages; Tool search.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

from antiphon.dialogue.prompt import Conversation, Limits, Part, Sampling, Speaker, Text, Turn
from antiphon.dialogue.tools import Call, Choice, Result, Tool
from antiphon.rules.attribution import without_attribution
from antiphon.rules.case import Request
from antiphon.rules.toolbox import describe, spoken_name
from antiphon.rules.tools import is_deferred
from antiphon.wire.blocks import (
    Block,
    RedactedThinkingBlock,
    ResultContent,
    SearchResultBlock,
    TextBlock,
    ThinkingBlock,
    ToolReferenceBlock,
    ToolResultBlock,
    ToolUseBlock,
)
from antiphon.wire.request import CreateMessage, InputMessage
from antiphon.wire.tools import ToolChoiceNone, ToolChoiceTool


def lower(request: Request) -> Conversation:
    """The conversation of a request that `ladder.check` found nothing wrong with."""
    turns: list[tuple[Speaker, list[Part]]] = []
    for speaker, part in _spoken(request.messages):
        if not turns or turns[-1][0] != speaker:
            turns.append((speaker, []))
        turns[-1][1].append(part)
    prefill: str | None = None
    if turns and turns[-1][0] == "assistant":
        prefill = "".join(part.text for part in turns.pop()[1] if isinstance(part, Text))
    told = tuple(Turn(speaker, tuple(parts)) for speaker, parts in turns)
    tools = tuple(_tools(request, told))
    return Conversation(
        _system(request.system),
        told,
        prefill,
        tools,
        _choice(request) if tools else Choice(),
        _shape(request),
    )


def limits(request: CreateMessage) -> Limits:
    """What ends the reply before the model does."""
    return Limits(request.max_tokens, tuple(request.stop_sequences or ()))


def sampling(request: CreateMessage) -> Sampling:
    """The request's own sampling settings; None where it is silent."""
    return Sampling(request.temperature, request.top_p, request.top_k)


def _system(system: str | list[TextBlock] | None) -> tuple[Text, ...]:
    texts = [system] if isinstance(system, str) else [block.text for block in system or ()]
    return tuple(Text(text) for text in map(without_attribution, texts) if text)


def _tools(request: Request, turns: Iterable[Turn]) -> Iterator[Tool]:
    found = {name for turn in turns for part in turn.parts if isinstance(part, Result) for name in part.found}
    if isinstance(request.tool_choice, ToolChoiceTool):
        found.add(request.tool_choice.name)
    for tool in request.tools or ():
        deferred = is_deferred(tool)
        for described in describe(tool):
            if not deferred:
                yield described
            elif described.name in found:
                yield replace(described, deferred=True)


def _choice(request: Request) -> Choice:
    choice = request.tool_choice
    if choice is None:
        return Choice()
    if isinstance(choice, ToolChoiceNone):
        return Choice("none")
    name = choice.name if isinstance(choice, ToolChoiceTool) else None
    return Choice(choice.type, name, parallel=choice.disable_parallel_tool_use is not True)


def _shape(request: Request) -> Mapping[str, Any] | None:
    config = request.output_config
    if config is not None and config.format is not None:
        return config.format.schema_
    if isinstance(request, CreateMessage) and request.output_format is not None:
        return request.output_format.schema_
    return None


def _spoken(messages: list[InputMessage]) -> Iterator[tuple[Speaker, Part]]:
    last_user = max((n for n, message in enumerate(messages) if message.role == "user"), default=-1)
    names: dict[str, str] = {}
    for n, message in enumerate(messages):
        # A turn-scoped system message holds until the user speaks again.
        if message.clear_at == "next_user_message" and n < last_user:
            continue
        for part in _parts(message.content, names):
            yield cast("Speaker", message.role), part


def _parts(content: str | list[Block], names: dict[str, str]) -> Iterator[Part]:
    """The parts of one message; `names` are those of the calls so far, by their ids."""
    if isinstance(content, str):
        if content:
            yield Text(content)
        return
    for block in content:
        match block:
            case TextBlock():
                yield Text(block.text)
            case ToolUseBlock():
                names[block.id] = spoken_name(block.name, block.toolset_name)
                yield Call(block.id, names[block.id], block.input)
            case ToolResultBlock():
                yield _result(block, names[block.tool_use_id])
            case ThinkingBlock() | RedactedThinkingBlock():
                continue
            case _:
                raise AssertionError(f"a {block.type} block passed the ladder, and nothing here can render it")


def _result(block: ToolResultBlock, name: str) -> Result:
    content = block.content or ""
    is_error = block.is_error is True
    if isinstance(content, str):
        return Result(block.tool_use_id, name, content, is_error)
    found = tuple(inner.tool_name for inner in content if isinstance(inner, ToolReferenceBlock))
    text = "\n".join(_readable(inner) for inner in content if not isinstance(inner, ToolReferenceBlock))
    return Result(block.tool_use_id, name, text, is_error, found)


def _readable(block: ResultContent) -> str:
    match block:
        case TextBlock():
            return block.text
        case SearchResultBlock():
            return "\n".join((block.title, block.source, *(text.text for text in block.content)))
        case _:
            raise AssertionError(f"a {block.type} block passed the ladder, and nothing here can render it")
