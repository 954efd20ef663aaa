"""Which tokens belong to which text, in a stream of llama.cpp's that is to end at a stop text.

Measured: an event has the token that was written last and the text that may be shown by then, and the two need not be
of each other.

- While the text could be the beginning of a stop text, events have their token and no text; later one of them has the
  text of all.
- A character of several tokens comes with the last of them; the tokens before it are never sent.
- The event that completes a stop text has the text before it, where both share a token; that it did so is said by the
  next event.
- At the token limit, text that is held back is not sent at all: it has to be asked for by its tokens. So it is lost
  where a character of several tokens is in it, which takes a stop text that begins with such characters.
"""

from msgspec.structs import replace

from antiphon.ports.engine import Piece


class Pairing:
    """Puts tokens and text together: the tokens of the pieces so far are those of their text, or are not given.

    `hidden`: control tokens that leave no text; they are in no piece's tokens. Pieces come one event late, because
    only the next event says what one was. Behind a token that is not known, no piece has tokens.
    """

    def __init__(self, hidden: frozenset[int]) -> None:
        self._hidden = hidden
        self._last: Piece | None = None
        self._held: list[int] = []
        self._counted = 0
        self._knows_held = True
        self._knows_all = True

    def take(self, event: Piece) -> Piece | None:
        """The piece of the event before; None at first."""
        ready, self._last = self._last, self._paired(event)
        return ready

    def end(self, *, matched: bool) -> Piece | None:
        """The last event's piece. `matched`: a stop text was completed in it."""
        ready, self._last = self._last, None
        return replace(ready, tokens=()) if ready is not None and matched else ready

    @property
    def held(self) -> tuple[int, ...]:
        """The tokens whose text has not come; empty also where one of them is not known."""
        return tuple(self._held) if self._knows_held else ()

    def rest(self, text: str) -> Piece:
        """The piece of the tokens in `held`, which have this text."""
        return Piece(text, self._counted, self.held if self._knows_all else ())

    def _paired(self, event: Piece) -> Piece:
        if event.output_tokens - self._counted != len(event.tokens):
            self._knows_held = self._knows_all = False
        self._counted = event.output_tokens
        self._held += (token for token in event.tokens if token not in self._hidden)
        if not event.text:
            return replace(event, tokens=())
        tokens = tuple(self._held) if self._knows_all else ()
        self._held, self._knows_held = [], True
        return replace(event, tokens=tokens)
