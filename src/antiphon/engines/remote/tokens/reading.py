"""What a stream of tokens says: text in whole characters, the tokens of each piece of it, and where it ends.

Engines give text too, but hold it back for stop texts and half characters, and not the tokens with it. So text is
made here, of the tokens alone; of a token's text all is shown together.
"""

import codecs
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from antiphon.ports.engine import Done, Piece

_STATELESS: Final = b""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What has to be known of a model's tokens: the bytes of each, the control tokens by their text, and those that
    end a reply."""

    piece: Callable[[int], bytes]
    control: Mapping[str, int]
    ends: Collection[int]

    def shown_for(self, visible: Collection[str], stops: Sequence[str]) -> frozenset[str]:
        """The control tokens whose text is shown: those asked for, and those in a text that is to be found."""
        return frozenset(visible).union(*(self._within(stop) for stop in stops))

    def _within(self, stop: str) -> frozenset[str]:
        return frozenset(text for text in self.control if text in stop)


@dataclass(frozen=True, slots=True)
class _Written:
    """A token, what it added to the text, whether that ends with a whole character, and how many there are then."""

    token: int | None
    text: str
    whole: bool
    count: int


class TokenReader:
    """Reads one reply. `shown`: control tokens whose text is shown; others leave none, and are in no piece's tokens.

    With `stops` pieces have their tokens, and are held back where their text could be the beginning of a stop text.
    """

    def __init__(self, vocabulary: Vocabulary, shown: Collection[str], stops: Sequence[str]) -> None:
        self._vocabulary = vocabulary
        self._hidden = frozenset(token for text, token in vocabulary.control.items() if text not in shown)
        self._stops = tuple(stop for stop in stops if stop)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held: list[_Written] = []
        self._text = ""
        self._counted = 0
        self.count = 0
        self.end: Done | None = None

    def take(self, tokens: Sequence[int]) -> list[Piece]:
        """The pieces that may be shown now. What follows the reply's end is not read: `end` says that it came."""
        for token in tokens:
            if self.end is not None:
                break
            self.count += 1
            if token in self._vocabulary.ends:
                return [*self._rest(), *self._finish(Done("end", self.count))]
            self._add(token)
            if (found := self._find_stop()) is not None:
                start, stop = found
                return [*self._until(start), *self._finish(Done("stop", self.count, matched=stop))]
        return self._ready()

    def finish(self, end: Done) -> list[Piece]:
        """The engine says that the reply has ended; what was held back is shown after all."""
        return [*self._rest(), *self._finish(end)]

    def _add(self, token: int) -> None:
        bytes_ = b"" if token in self._hidden else self._vocabulary.piece(token)
        text = self._decoder.decode(bytes_)
        whole = self._decoder.getstate()[0] == _STATELESS
        self._held.append(_Written(token if bytes_ else None, text, whole, self.count))
        self._text += text

    def _find_stop(self) -> tuple[int, str] | None:
        """Where the stop text that is whole first begins; of two that end together the longer counts."""
        found = [(at + len(stop), at, stop) for stop in self._stops if (at := self._text.find(stop)) >= 0]
        if not found:
            return None
        _, start, stop = min(found)
        return start, stop

    def _ready(self) -> list[Piece]:
        """All whole tokens before what may be the beginning of a stop text."""
        room = len(self._text) - max((_overlap(self._text, stop) for stop in self._stops), default=0)
        number = end = 0
        for at, written in enumerate(self._held, 1):
            end += len(written.text)
            if end > room:
                break
            if written.whole:
                number = at
        return self._show(number)

    def _until(self, start: int) -> list[Piece]:
        """All tokens before a place in the text, and what stands before it inside of a token."""
        number = end = at = 0
        for place, written in enumerate(self._held, 1):
            end += len(written.text)
            if end > start:
                break
            if written.whole:
                number, at = place, end
        rest = self._text[at:start]
        shown = self._show(number)
        return [*shown, self._piece(rest, self.count, ())] if rest else shown

    def _rest(self) -> list[Piece]:
        """All that was held back; bytes of half a character are none."""
        number = max((at for at, written in enumerate(self._held, 1) if written.whole), default=0)
        shown = self._show(number)
        return [*shown, self._piece(self._text, self.count, ())] if self._text else shown

    def _show(self, number: int) -> list[Piece]:
        if not number:
            return []
        shown, self._held = self._held[:number], self._held[number:]
        text = "".join(written.text for written in shown)
        self._text = self._text[len(text) :]
        tokens = (
            tuple(written.token for written in shown if written.token is not None) if self._stops and text else ()
        )
        return [self._piece(text, shown[-1].count, tokens)]

    def _piece(self, text: str, count: int, tokens: tuple[int, ...]) -> Piece:
        self._counted = count
        return Piece(text, count, tokens)

    def _finish(self, end: Done) -> list[Piece]:
        self.end = end
        self._held, self._text = [], ""
        return [self._piece("", end.output_tokens, ())] if end.output_tokens > self._counted else []


class StopsToSend:
    """Which stop texts an engine may be told of, so that it stops by itself.

    Engines look for them in a text with all control tokens in it. One that could be found partly or wholly in a text
    that is not shown would end a reply that goes on; those are looked for on this side alone.
    """

    def __init__(self, control: Collection[str]) -> None:
        self._control = tuple(control)
        self._touches = lru_cache(maxsize=256)(self._find_touch)

    def of(self, stops: Sequence[str], shown: Collection[str], most: int | None = None) -> list[str]:
        """Those of the stop texts that may be sent, at most so many."""
        return [stop for stop in stops if stop and not self._touches(stop) - frozenset(shown)][:most]

    def _find_touch(self, stop: str) -> frozenset[str]:
        return frozenset(
            text
            for text in self._control
            if stop in text or text in stop or _overlap(text, stop) or _overlap(stop, text)
        )


def _overlap(text: str, other: str) -> int:
    """How many characters at the end of a text are the beginning of the other, all of both left out."""
    for length in range(min(len(text), len(other) - 1), 0, -1):
        if text.endswith(other[:length]):
            return length
    return 0
