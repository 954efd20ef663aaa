"""The pieces of a source that a citation names: sentences of texts and PDF pages, the blocks of everything else.

Source: API reference, Citations, chunking.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, cast

from antiphon.dialogue.content import Document, SearchResult, Text

_REMEMBERED: Final = 32
"""Texts whose sentences are kept: prompt, grammar and reading ask for them in turn."""

_ANY: Final = "en"
"""The splitter takes a language for its abbreviations; full stops of all scripts are known to it under each."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a source: its section, from 0, and where in the section's text it begins and ends, end exclusive."""

    section: int
    start: int
    end: int


def sections_of(content: Document | SearchResult) -> tuple[str, ...]:
    """The texts of a source's sections; one without text is empty."""
    if isinstance(content, SearchResult):
        return tuple(text.text for text in content.texts)
    return tuple("\n".join(piece.text for piece in pieces if isinstance(piece, Text)) for pieces in content.sections)


def chunks_of(content: Document | SearchResult) -> tuple[Chunk, ...]:
    """All chunks in order. Those of one section follow each other without a gap, and a blank one is there only where
    a section is blank."""
    texts = sections_of(content)
    if isinstance(content, SearchResult) or content.kind == "blocks":
        return tuple(Chunk(at, 0, len(text)) for at, text in enumerate(texts))
    return tuple(
        Chunk(at, start, end)
        for at, text in enumerate(texts)
        if text.strip() and at not in content.unquotable
        for start, end in sentences(text)
    )


@lru_cache(maxsize=_REMEMBERED)
def sentences(text: str) -> tuple[tuple[int, int], ...]:
    """Where each sentence begins and ends, with the white space behind it; together they are the text."""
    # 4 MiB, for requests that are to be cited.
    import sentencex  # pyright: ignore[reportMissingTypeStubs] - it has no types

    pieces: list[str] = cast("Any", sentencex).segment(_ANY, text)
    ends: list[int] = []
    at = 0
    for piece in pieces:
        found = text.find(piece, at)
        if found < 0:
            continue
        at = found + len(piece)
        if piece.strip() or not ends:
            ends.append(at)
        else:
            ends[-1] = at
    if not text:
        return ()
    ends = ends or [len(text)]
    ends[-1] = len(text)
    # What is blank at the beginning belongs to the first sentence.
    if len(ends) > 1 and not text[: ends[0]].strip():
        del ends[0]
    return tuple(zip([0, *ends], ends, strict=False))
