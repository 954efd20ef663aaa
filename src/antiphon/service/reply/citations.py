"""Citations as they travel: of a source that the model named, the words that say most of what the answer says.

Which source is the model's word, and decoding lets it name only those that there are. The cited text is taken from
the source as it stands there. Source: API reference, Citations; Web search tool.
"""

import re
from typing import Any, Final

from antiphon.dialogue.content import Document, SearchResult
from antiphon.ports.system import Entropy
from antiphon.render.sources import Source, texts_of
from antiphon.request.sealed.found import bound_to
from antiphon.seals import NONCE_BYTES, Seals

MOST: Final = 150
"""Characters of a cited text."""

_SENTENCE: Final = re.compile(r"\S(?:[^.!?\n]|[.!?](?!\s))*[.!?]*")

_WORD: Final = re.compile(r"\w{2,}")


class Citations:
    """Makes the citations of one reply."""

    def __init__(self, seals: Seals, entropy: Entropy) -> None:
        self._seals = seals
        self._entropy = entropy

    def __call__(self, source: Source, words: str) -> dict[str, Any]:
        """The citation of the source by these words of the answer."""
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
        return _of_document(content, source.number - 1, cited, (section, start, end))


def excerpt(texts: tuple[str, ...], words: str) -> tuple[int, int, int]:
    """The sentence that shares most words with these: its section, and where it begins and ends there."""
    wanted = {word.casefold() for word in _WORD.findall(words)}
    best, place = -1.0, (0, 0, 0)
    for section, text in enumerate(texts):
        for found in _SENTENCE.finditer(text):
            start, end = found.start(), _cut(text, found.start(), found.end())
            said = {word.casefold() for word in _WORD.findall(text[start:end])}
            score = len(wanted & said) / (len(said) or 1) ** 0.5
            if score > best:
                best, place = score, (section, start, end)
    return place


def _cut(text: str, start: int, end: int) -> int:
    """The end of a sentence that is not too long, between two words."""
    if end - start <= MOST:
        return start + len(text[start:end].rstrip())
    head = text[start : start + MOST]
    return start + len((head.rpartition(" ")[0] or head).rstrip())


def _of_document(document: Document, index: int, cited: str, place: tuple[int, int, int]) -> dict[str, Any]:
    section, start, end = place
    said = {"cited_text": cited, "document_index": index, "document_title": document.title, "file_id": None}
    match document.kind:
        case "text":
            return {"type": "char_location", **said, "start_char_index": start, "end_char_index": end}
        case "pdf":
            return {
                "type": "page_location",
                **said,
                "start_page_number": section + 1,
                "end_page_number": section + 2,
            }
        case "blocks":
            return {
                "type": "content_block_location",
                **said,
                "start_block_index": section,
                "end_block_index": section + 1,
            }
