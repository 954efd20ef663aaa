"""What an answer may cite: the sources among a conversation's contents, numbered as the model is told of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from antiphon.dialogue.content import Document, SearchResult
from antiphon.dialogue.conversation import Conversation
from antiphon.dialogue.tools import Result
from antiphon.render.chunks import Chunk, chunks_of, sections_of

SourceKind = Literal["search_result", "document"]


@dataclass(frozen=True, slots=True)
class Source:
    """A source by the name of its element and its index in the prompt, from 1. `content`: what it says.

    `chunks`: its numbered pieces, the first of which is called 1; none where a citation names it as a whole.
    """

    kind: SourceKind
    number: int
    content: SearchResult | Document
    chunks: tuple[Chunk, ...] = ()

    @property
    def tag(self) -> "CiteTag":
        """The tag that begins words that rest on it."""
        return CiteTag(f'<cite {self.kind}="{self.number}"', len(self.chunks))


@dataclass(frozen=True, slots=True)
class CiteTag:
    """How words that rest on a source begin: with `opening`, the numbers of some of so many `pieces`, if any, `>`."""

    opening: str
    pieces: int = 0


def sources_of(conversation: Conversation) -> tuple[Source, ...]:
    """The conversation's sources, in order; none where the answer may cite nothing."""
    numbers: dict[SourceKind, int] = {"search_result": 0, "document": 0}
    found: list[Source] = []
    for content in _contents(conversation):
        kind: SourceKind = "document" if isinstance(content, Document) else "search_result"
        numbers[kind] += 1
        if content.citable:
            chunks = chunks_of(content) if content.numbered else ()
            found.append(Source(kind, numbers[kind], content, chunks))
    return tuple(found)


def texts_of(source: Source) -> tuple[str, ...]:
    """What a citation may take its words from, section by section."""
    texts = sections_of(source.content)
    # Behind the text of what the server found stands the age of its page.
    return texts[:1] if isinstance(source.content, SearchResult) and source.content.place is None else texts


def _contents(conversation: Conversation) -> Iterator[SearchResult | Document]:
    """Everything that has an index, in the order of the prompt."""
    for turn in conversation.turns:
        for part in turn.parts:
            inner = part.parts if isinstance(part, Result) else (part,)
            for content in inner:
                if isinstance(content, SearchResult | Document):
                    yield content
