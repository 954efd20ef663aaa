"""Citations out of an answer while it is written: tags that name a source, taken off the words that rest on it.

A citation comes before its words. Where the tag names sentences or blocks, it is known at once; else it takes the
words to be found, which are held back until their tag ends. Tags in a row are citations of the same words.

A grammar lets the model name only sources that there are; without one, a tag that names another is dropped and its
words are plain text. Comes behind the reader of thoughts, so that nothing in a call or a thought is a citation.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from antiphon.dialogue.events import CiteEnd, CiteStart, ReplyEvent, TextDelta
from antiphon.render.sources import Source

CLOSING: Final = "</cite>"

_OPENING: Final = re.compile(
    r"<cite\s{1,8}(search_result|document)\s{0,8}=\s{0,8}[\"']?([0-9]{1,6})[\"']?"
    r"(?:\s{1,8}at\s{0,8}=\s{0,8}[\"']?([0-9]{1,6})(?:\s{0,8}-\s{0,8}([0-9]{1,6}))?[\"']?)?\s{0,8}>"
)

_TAG: Final = re.compile(rf"{_OPENING.pattern}|{CLOSING}")

_LONGEST: Final = 120


@dataclass(frozen=True, slots=True)
class Pointer:
    """What a tag names: a source, and the first and last of its pieces, from 1; None: it is to be found."""

    source: Source
    pieces: tuple[int, int] | None = None


Maker = Callable[[Pointer, str], dict[str, Any] | None]
"""The citation of what a tag names, for these words; None where there is nothing to cite."""


class CitationReader:
    """Reads one reply's events. `make`: the citations. The same text gives the same events under every cut, but for
    where its deltas are cut."""

    def __init__(self, sources: Sequence[Source], make: Maker) -> None:
        self._sources = {(source.kind, source.number): source for source in sources}
        self._make = make
        self._text = ""
        self._open: list[Pointer] = []
        self._words: list[str] = []
        self._blank = ""
        self._told = False

    def read(self, events: Iterable[ReplyEvent]) -> list[ReplyEvent]:
        """What these events are, as far as it can be said."""
        told: list[ReplyEvent] = []
        for event in events:
            if isinstance(event, TextDelta):
                self._text += event.text
                self._run(told, final=False)
            else:
                self._end(told)
                told.append(event)
        return told

    def finish(self) -> list[ReplyEvent]:
        """What was still held back when the model stopped; an open citation is completed."""
        told: list[ReplyEvent] = []
        self._end(told)
        return told

    def _end(self, told: list[ReplyEvent]) -> None:
        self._run(told, final=True)
        self._close(told)

    def _run(self, told: list[ReplyEvent], *, final: bool) -> None:
        while (found := _TAG.search(self._text)) is not None:
            self._say(self._text[: found.start()], told)
            self._text = self._text[found.end() :]
            if found[1] is None:
                self._close(told)
                continue
            if self._words or self._told or self._blank:
                self._close(told)
            pointer = self._pointer(found)
            if pointer is not None:
                self._open.append(pointer)
        held = _begins_tag(self._text)
        said, self._text = self._text[:held], self._text[held:]
        self._say(said, told)
        if final:
            # The beginning of a tag is markup that was cut off, and anything shorter is the model's own.
            if not self._text.startswith(("<cite ", "</cit")):
                self._say(self._text, told)
            self._text = ""

    def _pointer(self, found: re.Match[str]) -> Pointer | None:
        source = self._sources.get((found[1], int(found[2])))  # type: ignore[call-overload]
        if source is None or found[3] is None:
            return None if source is None else Pointer(source)
        first, last = sorted((int(found[3]), int(found[4] or found[3])))
        return Pointer(source, (first, last) if first and last <= len(source.chunks) else None)

    def _say(self, text: str, told: list[ReplyEvent]) -> None:
        if not text:
            return
        if not self._open or self._told:
            told.append(TextDelta(text))
            return
        if not self._words:
            text = self._blank + text
            if not text.strip():
                self._blank = text
                return
            self._blank = ""
        self._words.append(text)
        if all(pointer.pieces is not None for pointer in self._open):
            self._begin(told)

    def _begin(self, told: list[ReplyEvent]) -> None:
        """Tell the citations, if there are any, and the words so far."""
        words, self._words = "".join(self._words), []
        made = (self._make(pointer, words) for pointer in self._open)
        citations = [citation for citation in made if citation is not None]
        told += [*map(CiteStart, citations), TextDelta(words)]
        self._told = bool(citations)
        if not citations:
            self._open = []

    def _close(self, told: list[ReplyEvent]) -> None:
        if self._words:
            self._begin(told)
        if self._told:
            told.append(CiteEnd())
        elif self._blank:
            told.append(TextDelta(self._blank))
        self._open, self._blank, self._told = [], "", False


def _begins_tag(text: str) -> int:
    """Where the text may begin a tag that it does not end; its length where nowhere."""
    at = text.rfind("<")
    if at < 0 or len(text) - at > _LONGEST or ">" in text[at:]:
        return len(text)
    rest = text[at:]
    begins = CLOSING.startswith(rest) or "<cite".startswith(rest) or re.match(r"<cite\s", rest)
    return at if begins else len(text)
