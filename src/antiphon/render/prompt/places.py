"""Where in a prompt the blocks of its request stand.

A conversation is told a second time, with marks around the texts of each block, which a template carries along; the
first prompt then tells where each block begins and ends. The prompt that a model reads never has marks in it. Where a
template makes another prompt of a marked conversation, nothing is said of places.

The prefix that a block ends reaches as far as the texts of all blocks up to it, and no further than to the first that
comes later in the request: many templates tell of tools behind the system prompt.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, cast

from antiphon.dialogue.content import Content, Document, SearchResult, Text
from antiphon.dialogue.conversation import Conversation, Part, Reasoning
from antiphon.dialogue.media import Image
from antiphon.dialogue.rendered import Segment, join_runs
from antiphon.dialogue.tools import Call, Result, Tool, ToolChange
from antiphon.render.prompt.mapped import texts_of

_MARKS: Final = tuple(chr(plane << 16 | end) for plane in range(1, 17) for end in (0xFFFE, 0xFFFF))
"""Noncharacters: no text needs them."""

_DESCRIBES: Final = "description"


_TOOLS: Final = "tools."


@dataclass(frozen=True, slots=True)
class Places:
    """The extents of a request's blocks in the text of a prompt, by their paths; a picture is as long as a character.

    That of a tool's definition ends with the last of its descriptions.
    """

    extents: Mapping[str, tuple[int, int]]

    def ends(self, paths: Sequence[str]) -> list[int]:
        """Where in the prompt each prefix ends, for the request's blocks in its order."""
        said = sorted(begin for path, (begin, _) in self.extents.items() if not path.startswith(_TOOLS))
        last_tool = max((at for at, path in enumerate(paths) if path.startswith(_TOOLS)), default=-1)
        reached, found = 0, list[int]()
        for at, path in enumerate(paths):
            reached = max(reached, self.extents.get(path, (0, 0))[1])
            if at == last_tool:
                # What comes behind the last description is the template's to say.
                reached = next((begin for begin in said if begin >= reached), reached)
            found.append(reached)
        first = max((end for _, end in self.extents.values()), default=0)
        for at in range(len(paths) - 1, -1, -1):
            found[at] = min(found[at], first)
            first = min(first, self.extents.get(paths[at], (first, first))[0])
        return found


class Marks:
    """Marks for one conversation, made of a character that does not occur in it."""

    def __init__(self, mark: str) -> None:
        self._mark = mark
        self._paths: list[str] = []
        self._pictures: list[str] = []
        self._found = re.compile(f"{mark}([0-9]+){mark}")

    @classmethod
    def for_texts(cls, conversation: Conversation) -> "Marks | None":
        """Marks that no text of the conversation has; None where it has them all."""
        texts = list(texts_of(conversation, objects_as_json=True))
        mark = next((mark for mark in _MARKS if not any(mark in text for text in texts)), None)
        return None if mark is None else cls(mark)

    def put(self, conversation: Conversation) -> Conversation:
        """The conversation with marks around the texts of its blocks."""
        origins = conversation.origins
        return replace(
            conversation,
            tools=tuple(self._tool(tool, path) for tool, path in zip(conversation.tools, origins.tools, strict=True)),
            system=tuple(
                Text(self._text(text.text, path))
                for text, path in zip(conversation.system, origins.system, strict=True)
            ),
            turns=tuple(
                replace(turn, parts=tuple(map(self._part, turn.parts, paths)))
                for turn, paths in zip(conversation.turns, origins.turns, strict=True)
            ),
            prefill=self._prefill(conversation),
        )

    def places(self, told: Sequence[Segment], marked: Sequence[Segment]) -> Places | None:
        """Where the blocks stand in what was told, by the same told with marks; None where that is another prompt."""
        extents: dict[int, tuple[int, int]] = {}
        plain: list[Segment] = []
        at = pictures = 0
        for segment in marked:
            if segment.image is not None:
                plain.append(segment)
                if pictures < len(self._pictures):
                    self._reach(extents, self._number(self._pictures[pictures]), at, at + 1)
                pictures += 1
                at += 1
                continue
            texts, read = list[str](), 0
            for mark in self._found.finditer(segment.text):
                texts.append(segment.text[read : mark.start()])
                at += len(texts[-1])
                read = mark.end()
                self._reach(extents, int(mark[1]), at, at)
            texts.append(segment.text[read:])
            at += len(texts[-1])
            plain.append(Segment("".join(texts), segment.markup))
        if join_runs(plain) != join_runs(told):
            return None
        paths = self._paths
        return Places({paths[n]: extent for n, extent in extents.items() if n < len(paths)})

    @staticmethod
    def _reach(extents: dict[int, tuple[int, int]], place: int, begin: int, end: int) -> None:
        before = extents.get(place, (begin, end))
        extents[place] = min(before[0], begin), max(before[1], end)

    def _number(self, path: str) -> int:
        # Blocks come one after the other: it is the last, or a new one.
        if not self._paths or self._paths[-1] != path:
            if path in self._paths:
                return self._paths.index(path)
            self._paths.append(path)
        return len(self._paths) - 1

    def _text(self, text: str, path: str) -> str:
        """The text with marks around it; white space stays outside, where templates take it away."""
        said = text.strip()
        if not path or not said:
            return text
        number, mark = self._number(path), self._mark
        lead = len(text) - len(text.lstrip())
        behind = text[lead + len(said) :]
        return f"{text[:lead]}{mark}{number}{mark}{said}{mark}{number}{mark}{behind}"

    def _part(self, part: Part, path: str) -> Part:
        def change(text: str) -> str:
            return self._text(text, path)

        match part:
            case Text() | Image() | Document() | SearchResult():
                return self._content(part, path)
            case Reasoning(text=text):
                return Reasoning(change(text))
            case Result(text=text, parts=parts):
                return replace(part, text=change(text), parts=tuple(self._content(inner, path) for inner in parts))
            case Call(input=value):
                return replace(part, input=_in_values(value, change))
            case ToolChange(added=added):
                return replace(part, added=tuple(self._tool(tool, path) for tool in added))

    def _content(self, content: Content, path: str) -> Content:
        match content:
            case Text(text=text):
                return Text(self._text(text, path))
            case Image():
                self._pictures.append(path)
                return content
            case Document(sections=sections, title=title, context=context):
                told = tuple(tuple(self._piece(piece, path) for piece in pieces) for pieces in sections)
                return replace(
                    content,
                    sections=told,
                    title=None if title is None else self._text(title, path),
                    context=None if context is None else self._text(context, path),
                )
            case SearchResult(source=source, title=title, texts=texts):
                said = tuple(Text(self._text(text.text, path)) for text in texts)
                return replace(content, source=self._text(source, path), title=self._text(title, path), texts=said)

    def _piece(self, piece: Text | Image, path: str) -> Text | Image:
        if isinstance(piece, Text):
            return Text(self._text(piece.text, path))
        self._pictures.append(path)
        return piece

    def _tool(self, tool: Tool, path: str) -> Tool:
        if not path:
            return tool

        def change(text: str) -> str:
            return self._text(text, path)

        return replace(tool, description=change(tool.description), schema=_in_descriptions(tool.schema, change))

    def _prefill(self, conversation: Conversation) -> str | None:
        whole = conversation.prefill
        if whole is None:
            return None
        told, at = list[str](), 0
        for path, length in conversation.origins.prefill:
            told.append(self._text(whole[at : at + length], path))
            at += length
        return "".join((*told, whole[at:]))


def cut(segments: Iterable[Segment], at: int) -> tuple[tuple[Segment, ...], tuple[Segment, ...]]:
    """The segments before a place of the prompt, and those behind it."""
    before, behind = list[Segment](), list[Segment]()
    for segment in segments:
        length = 1 if segment.image is not None else len(segment.text)
        if at >= length:
            before.append(segment)
        elif at <= 0:
            behind.append(segment)
        else:
            before.append(Segment(segment.text[:at], segment.markup))
            behind.append(Segment(segment.text[at:], segment.markup))
        at -= length
    return tuple(before), tuple(behind)


def _in_values(value: Any, change: Callable[[str], str]) -> Any:
    """The value with its texts changed; keys stay as they are."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {key: _in_values(item, change) for key, item in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list):
        return [_in_values(item, change) for item in cast("list[Any]", value)]
    return value


def _in_descriptions(schema: Any, change: Callable[[str], str]) -> Any:
    """The schema with its descriptions changed; templates look into everything else."""
    if isinstance(schema, Mapping):
        items = cast("Mapping[str, Any]", schema).items()
        return {
            key: change(item) if key == _DESCRIBES and isinstance(item, str) else _in_descriptions(item, change)
            for key, item in items
        }
    if isinstance(schema, list):
        return [_in_descriptions(item, change) for item in cast("list[Any]", schema)]
    return schema
