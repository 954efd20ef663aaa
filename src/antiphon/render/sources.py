"""What an answer may cite: the sources among a conversation's contents, numbered as the model is told of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from antiphon.dialogue.content import Document, SearchResult, Text
from antiphon.dialogue.conversation import Conversation
from antiphon.dialogue.tools import Result

SourceKind = Literal["search_result", "document"]


@dataclass(frozen=True, slots=True)
class Source:
    """A source by the name of its element and its index in the prompt, from 1. `content`: what it says."""

    kind: SourceKind
    number: int
    content: SearchResult | Document

    @property
    def opening(self) -> str:
        """The tag that begins words that rest on it."""
        return f'<cite {self.kind}="{self.number}">'


def sources_of(conversation: Conversation) -> tuple[Source, ...]:
    """The conversation's sources, in order; none where the answer may cite nothing."""
    numbers: dict[SourceKind, int] = {"search_result": 0, "document": 0}
    found: list[Source] = []
    for content in _contents(conversation):
        kind: SourceKind = "document" if isinstance(content, Document) else "search_result"
        numbers[kind] += 1
        if content.citable:
            found.append(Source(kind, numbers[kind], content))
    return tuple(found)


def texts_of(source: Source) -> tuple[str, ...]:
    """What a citation may take its words from, section by section."""
    content = source.content
    if isinstance(content, SearchResult):
        return tuple(text.text for text in content.texts[:1])
    return tuple("\n".join(piece.text for piece in pieces if isinstance(piece, Text)) for pieces in content.sections)


def _contents(conversation: Conversation) -> Iterator[SearchResult | Document]:
    """Everything that has an index, in the order of the prompt."""
    for turn in conversation.turns:
        for part in turn.parts:
            inner = part.parts if isinstance(part, Result) else (part,)
            for content in inner:
                if isinstance(content, SearchResult | Document):
                    yield content
