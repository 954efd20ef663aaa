"""Citations as they travel: of a source that the model named, its sentences or blocks that the answer rests on.

Which source is the model's word, and decoding lets it name only those that there are. Where it names the pieces too,
they are cited as they stand; else the piece is cited that says most of what the answer says. The cited text is always
a slice of the source. Source: API reference, Citations; Search results; Web search tool.
"""

import re
from typing import Any, Final

from antiphon.dialogue.content import Document, SearchResult
from antiphon.ports.system import Entropy
from antiphon.render.reading.citations import Pointer
from antiphon.render.sources import Source, texts_of
from antiphon.request.sealed.found import bound_to
from antiphon.seals import NONCE_BYTES, Seals

MOST: Final = 150
"""Characters of a cited text that the server found."""

_SENTENCE: Final = re.compile(r"\S(?:[^.!?\n]|[.!?](?!\s))*[.!?]*")

_WORD: Final = re.compile(r"\w{2,}")

_LETTER: Final = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")
"""Scripts that put no space between words: letter by letter."""


class Citations:
    """Makes the citations of one reply."""

    def __init__(self, seals: Seals, entropy: Entropy) -> None:
        self._seals = seals
        self._entropy = entropy

    def __call__(self, pointer: Pointer, words: str) -> dict[str, Any] | None:
        """The citation of what a tag names by these words of the answer; None where it says nothing."""
        source = pointer.source
        if source.chunks:
            return _of_chunks(source, pointer.pieces or _closest(source, words))
        texts, content = texts_of(source), source.content
        section, start, end = excerpt(texts, words)
        cited = texts[section][start:end] if texts else ""
        if isinstance(content, SearchResult):
            page = bound_to(content.source, content.title)
            index = self._seals.seal_index(f"{start}:{end}", page, self._entropy.bytes(NONCE_BYTES))
            return {
                "type": "web_search_result_location",
                "cited_text": cited,
                "url": content.source,
                "title": content.title,
                "encrypted_index": index,
            }
        return _of_document(source, content, cited, (section, start), (section, end))


def excerpt(texts: tuple[str, ...], words: str) -> tuple[int, int, int]:
    """The sentence that shares most words with these: its section, and where it begins and ends there."""
    wanted = _words(words)
    best, place = -1.0, (0, 0, 0)
    for section, text in enumerate(texts):
        for found in _SENTENCE.finditer(text):
            start, end = found.start(), _cut(text, found.start(), found.end())
            score = _shared(wanted, text[start:end])
            if score > best:
                best, place = score, (section, start, end)
    return place


def _words(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(text)}.union(_LETTER.findall(text))


def _shared(wanted: set[str], text: str) -> float:
    said = _words(text)
    return len(wanted & said) / (len(said) or 1) ** 0.5


def _cut(text: str, start: int, end: int) -> int:
    """The end of a sentence that is not too long, between two words."""
    if end - start <= MOST:
        return start + len(text[start:end].rstrip())
    head = text[start : start + MOST]
    return start + len((head.rpartition(" ")[0] or head).rstrip())


def _closest(source: Source, words: str) -> tuple[int, int]:
    """The piece that shares most words with these; the first of those that share as many."""
    texts, wanted = texts_of(source), _words(words)
    scores = [_shared(wanted, texts[chunk.section][chunk.start : chunk.end]) for chunk in source.chunks]
    best = 1 + max(range(len(scores)), key=lambda at: (scores[at], -at))
    return best, best


def _of_chunks(source: Source, pieces: tuple[int, int]) -> dict[str, Any] | None:
    """The citation of these pieces, which follow each other."""
    texts, content = texts_of(source), source.content
    chunks = source.chunks[pieces[0] - 1 : pieces[1]]
    cited = "".join(texts[chunk.section][chunk.start : chunk.end] for chunk in chunks)
    if not cited.strip():
        return None
    first, last = chunks[0], chunks[-1]
    if isinstance(content, SearchResult):
        return {
            "type": "search_result_location",
            "cited_text": cited,
            "search_result_index": content.place or 0,
            "source": content.source,
            "title": content.title,
            "start_block_index": first.section,
            "end_block_index": last.section + 1,
        }
    return _of_document(source, content, cited, (first.section, first.start), (last.section, last.end))


def _of_document(
    source: Source, document: Document, cited: str, start: tuple[int, int], end: tuple[int, int]
) -> dict[str, Any]:
    """`start`, `end`: a section, from 0, and a place in its text, the end exclusive."""
    said = {
        "cited_text": cited,
        "document_index": source.number - 1 if document.place is None else document.place,
        "document_title": document.title,
        "file_id": document.file_id,
    }
    match document.kind:
        case "text":
            return {"type": "char_location", **said, "start_char_index": start[1], "end_char_index": end[1]}
        case "pdf":
            return {
                "type": "page_location",
                **said,
                "start_page_number": start[0] + 1,
                "end_page_number": end[0] + 2,
            }
        case "blocks":
            return {
                "type": "content_block_location",
                **said,
                "start_block_index": start[0],
                "end_block_index": end[0] + 1,
            }
