"""Every text that a client wrote into a conversation: to look at, or to change in one way."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

import orjson

from antiphon.dialogue.content import Content, Document, SearchResult, Text
from antiphon.dialogue.conversation import Conversation, Part, Reasoning, Turn
from antiphon.dialogue.media import Image
from antiphon.dialogue.tools import Call, Result, Tool, ToolChange

Change = Callable[[str], str]


def texts_of(conversation: Conversation, *, objects_as_json: bool = False) -> Iterator[str]:
    """The texts, keys of objects included; names of tools have no character that could matter.

    `objects_as_json`: objects as one text each, which is much faster.
    """
    leaves = _as_json if objects_as_json else _leaves
    for part in conversation.system:
        yield part.text
    for turn in conversation.turns:
        for part in turn.parts:
            match part:
                case Text() | Image() | Document() | SearchResult():
                    yield from _texts_in(part)
                case Reasoning(text=text):
                    yield text
                case Result(text=text, parts=parts):
                    yield text
                    for inner in parts:
                        yield from _texts_in(inner)
                case Call(input=value):
                    yield from leaves(value)
                case ToolChange(added=added):
                    for tool in added:
                        yield from _texts_of_tool(tool, leaves)
    for tool in conversation.tools:
        yield from _texts_of_tool(tool, leaves)
    yield conversation.prefill or ""


def _texts_in(content: Content) -> Iterator[str]:
    match content:
        case Text(text=text):
            yield text
        case Image():
            pass
        case Document(sections=sections, title=title, context=context):
            yield from (title or "", context or "")
            yield from (piece.text for pieces in sections for piece in pieces if isinstance(piece, Text))
        case SearchResult(source=source, title=title, texts=texts):
            yield from (source, title, *(text.text for text in texts))


def _texts_of_tool(tool: Tool, leaves: Callable[[object], Iterator[str]]) -> Iterator[str]:
    yield tool.description
    yield from leaves(tool.schema)
    yield from leaves(tool.examples)


def mapped(conversation: Conversation, change: Change) -> Conversation:
    """The conversation with every such text changed."""
    return replace(
        conversation,
        system=tuple(Text(change(part.text)) for part in conversation.system),
        turns=tuple(
            Turn(turn.speaker, tuple(_part(part, change) for part in turn.parts)) for turn in conversation.turns
        ),
        tools=tuple(_tool(tool, change) for tool in conversation.tools),
        prefill=None if conversation.prefill is None else change(conversation.prefill),
    )


def _part(part: Part, change: Change) -> Part:
    match part:
        case Text() | Image() | Document() | SearchResult():
            return _content(part, change)
        case Reasoning(text=text):
            return Reasoning(change(text))
        case Result(text=text, parts=parts):
            return replace(part, text=change(text), parts=tuple(_content(inner, change) for inner in parts))
        case Call(input=value):
            return replace(part, input=_changed(value, change))
        case ToolChange(added=added):
            return replace(part, added=tuple(_tool(tool, change) for tool in added))


def _content(content: Content, change: Change) -> Content:
    match content:
        case Text(text=text):
            return Text(change(text))
        case Image():
            return content
        case Document(sections=sections, title=title, context=context):
            return replace(
                content,
                sections=tuple(tuple(_piece(piece, change) for piece in pieces) for pieces in sections),
                title=None if title is None else change(title),
                context=None if context is None else change(context),
            )
        case SearchResult(source=source, title=title, texts=texts):
            return SearchResult(change(source), change(title), tuple(Text(change(text.text)) for text in texts))


def _piece(piece: Text | Image, change: Change) -> Text | Image:
    return Text(change(piece.text)) if isinstance(piece, Text) else piece


def _tool(tool: Tool, change: Change) -> Tool:
    return replace(
        tool,
        description=change(tool.description),
        schema=_changed(tool.schema, change),
        examples=tuple(_changed(example, change) for example in tool.examples),
    )


def _as_json(value: object) -> Iterator[str]:
    if value:
        yield orjson.dumps(value).decode()


def _leaves(value: object) -> Iterator[str]:
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, Mapping):
            items = cast("Mapping[str, object]", one)
            yield from items
            pending.extend(items.values())
        elif isinstance(one, list | tuple):
            pending.extend(cast("list[object]", one))


def _changed(value: Any, change: Change) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        items = cast("Mapping[str, object]", value).items()
        return {change(key): _changed(item, change) for key, item in items}
    if isinstance(value, list):
        return [_changed(item, change) for item in cast("list[object]", value)]
    return value
