"""What a request lets its answer cite: which of its documents and search results, and what the model is told of that.

Source: API reference, Citations; Search results.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from antiphon.request.case import Case
from antiphon.request.media.wanted import Media, shown_files
from antiphon.wire.content.blocks import DocumentBlock, SearchResultBlock

HOW: Final = (
    "Some of the documents and search results of this conversation are to be cited. Put every statement of your "
    'answer that rests on one between <cite document="INDEX" at="N"> and </cite>, or <cite search_result="INDEX" '
    'at="N"> and </cite>. INDEX is the index of the document or search result. N is the number of the sentence '
    '(<s n="N">) or block that says it, or a range of them, such as 3-5. A statement that rests on several has '
    "several of these tags in a row before it and one </cite> behind it. Put the statement in your own words, cite "
    "what it rests on, and say nothing of the numbers or tags."
)
"""The addition to the system prompt."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the contents of a request are told from. `media`: its files; `places`: the path of each document and each
    search result → which of its kind it is, from 0. `cites`: the answer may cite what the request asks it to."""

    media: Media
    places: Mapping[str, int] = field(default_factory=dict[str, int])
    cites: bool = False


def shown(case: Case, media: Media) -> Shown:
    """Of a request that nothing is wrong with."""
    places: dict[str, int] = {}
    documents = results = 0
    for path, block in shown_files(case):
        if isinstance(block, DocumentBlock):
            places[path], documents = documents, documents + 1
        elif isinstance(block, SearchResultBlock):
            places[path], results = results, results + 1
    return Shown(media, places, cites=not case.summarizes)
