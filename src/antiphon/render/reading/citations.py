"""Citations out of an answer while it is written: tags that name a source, taken off the words that rest on it.

A citation comes before its words, and takes them to be found: words that cite are held back until their tag ends.

A grammar lets the model name only sources that there are; without one, a tag that names another is dropped and its
words are plain text. Comes behind the reader of thoughts, so that nothing in a call or a thought is a citation.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from antiphon.dialogue.events import CiteEnd, CiteStart, ReplyEvent, TextDelta
from antiphon.render.sources import Source

CLOSING: Final = "</cite>"

_OPENING: Final = re.compile(r"<cite\s{1,8}(search_result|document)\s{0,8}=\s{0,8}[\"']?([0-9]{1,6})[\"']?\s{0,8}>")

_TAG: Final = re.compile(rf"{_OPENING.pattern}|{CLOSING}")

_LONGEST: Final = 64

Maker = Callable[[Source, str], dict[str, Any]]


class CitationReader:
    """Reads one reply's events. `make`: the citation of a source by these words. The same text gives the same events
    under every cut, but for where its deltas are cut."""

    def __init__(self, sources: Sequence[Source], make: Maker) -> None:
        self._sources = {(source.kind, source.number): source for source in sources}
        self._make = make
        self._text = ""
        self._open: Source | None = None
        self._words: list[str] = []
        self._blank = ""

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
            self._close(told)
            if found[1] is not None:
                self._open = self._sources.get((found[1], int(found[2])))  # type: ignore[call-overload]
        held = _begins_tag(self._text)
        said, self._text = self._text[:held], self._text[held:]
        self._say(said, told)
        if final:
            # The beginning of a tag is markup that was cut off, and anything shorter is the model's own.
            if not self._text.startswith(("<cite ", "</cit")):
                self._say(self._text, told)
            self._text = ""

    def _say(self, text: str, told: list[ReplyEvent]) -> None:
        if not text:
            return
        if self._open is None:
            told.append(TextDelta(text))
            return
        if not self._words:
            text = self._blank + text
            if not text.strip():
                self._blank = text
                return
            self._blank = ""
        self._words.append(text)

    def _close(self, told: list[ReplyEvent]) -> None:
        source, words, blank = self._open, "".join(self._words), self._blank
        self._open, self._words, self._blank = None, [], ""
        if source is not None and words:
            told += [CiteStart(self._make(source, words)), TextDelta(words), CiteEnd()]
        elif blank:
            told.append(TextDelta(blank))


def _begins_tag(text: str) -> int:
    """Where the text may begin a tag that it does not end; its length where nowhere."""
    at = text.rfind("<")
    if at < 0 or len(text) - at > _LONGEST or ">" in text[at:]:
        return len(text)
    rest = text[at:]
    begins = CLOSING.startswith(rest) or "<cite".startswith(rest) or re.match(r"<cite\s", rest)
    return at if begins else len(text)
