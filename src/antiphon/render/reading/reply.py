"""Model text → what happens in the reply. Sees text only, never the engine or the network."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from antiphon.dialogue.events import (
    CallArguments,
    CallEnd,
    CallStart,
    CiteEnd,
    CiteStart,
    ReasoningDelta,
    ReplyEvent,
    TextDelta,
)
from antiphon.render.reading.calls import CallReader
from antiphon.render.reading.citations import CitationReader
from antiphon.render.reading.stops import StopMatcher
from antiphon.render.reading.thoughts import ReasoningReader


class ReplyReader:
    """Reads one reply's text as it comes. The same text gives the same events' text under every cut.

    `calls` reads tool calls; without it everything is text. `thoughts` tells reasoning from text; it is dropped
    unless the reader `tells_thoughts`: then each run comes in its place, an empty delta first. `citations` tells the
    words that cite from the others. `members`: the tools that the client knows as a toolset's members, by the name
    that the model calls, with toolset and name; their input comes in one piece.

    Stop sequences are looked for in what the client sees, the text and the JSON of inputs: the markup of calls is not
    the client's to stop at, and neither is reasoning.

    A reply ends with its calls: the first word or thought behind one is no part of it any more. The API takes back
    no other reply, and what a model says of a result that it has not seen is made up.
    """

    def __init__(
        self,
        stop_sequences: Sequence[str] = (),
        calls: CallReader | None = None,
        thoughts: ReasoningReader | None = None,
        members: Mapping[str, tuple[str, str]] = MappingProxyType({}),
        *,
        tells_thoughts: bool = False,
        citations: CitationReader | None = None,
    ) -> None:
        self._citations = citations
        self._sequences = stop_sequences
        self._calls = calls
        self._thoughts = thoughts
        self._members = members
        self._tells_thoughts = tells_thoughts
        self._pieces: list[str] | None = None
        self._text = StopMatcher(stop_sequences)
        # Whoever has nothing to look for passes text on.
        self._looks = not (calls is None and thoughts is None and citations is None and not any(stop_sequences))
        self._input = StopMatcher(())
        self._stop: str | None = None
        self._has_called = False
        self._ended = False
        self._cites: list[CiteStart] = []

    @property
    def stop_sequence(self) -> str | None:
        """The stop sequence that ended the reply, once there is one; the engine may be stopped then."""
        return self._stop

    @property
    def has_called(self) -> bool:
        """Whether the reply holds a call."""
        return self._has_called

    @property
    def thinks(self) -> bool:
        """Whether the model is thinking now: what it writes counts as reasoning."""
        return self._thoughts is not None and self._thoughts.inside

    @property
    def over(self) -> bool:
        """Whether nothing that the model still writes belongs to the reply; the engine may be stopped then."""
        return self._stop is not None or self._ended or (self._calls is not None and self._calls.over)

    def feed(self, text: str) -> list[ReplyEvent]:
        """What this text adds."""
        if not self._looks:
            return _deltas(text)
        read = _deltas(text) if self._calls is None else self._calls.feed(text)
        read = read if self._thoughts is None else self._thoughts.read(read)
        return self._see(read if self._citations is None else self._citations.read(read))

    def finish(self, *, cut: bool = False) -> list[ReplyEvent]:
        """What was still held back when the model stopped, or was `cut` off by a limit."""
        read = [] if self._calls is None else self._calls.finish(cut=cut)
        if self._thoughts is not None:
            read = [*self._thoughts.read(read), *self._thoughts.finish()]
        if self._citations is not None:
            read = [*self._citations.read(read), *self._citations.finish()]
        return self._see(read) + self._deltas(self._text.flush())

    def _see(self, events: Sequence[ReplyEvent]) -> list[ReplyEvent]:
        """The events with the stop sequences looked for."""
        seen: list[ReplyEvent] = []
        for event in events:
            if self._stop is not None or self._ended:
                break
            match event:
                case TextDelta(text=text) if self._has_called:
                    words = text.lstrip()
                    seen += self._say(text.removesuffix(words))
                    self._ended = bool(words)
                case TextDelta(text=text):
                    seen += self._say(text)
                case ReasoningDelta() | CiteStart() if self._has_called and self._is_told(event):
                    self._ended = True
                case CallStart():
                    # Text before a call and text behind it are not one text.
                    seen += self._deltas(self._text.flush())
                    seen.append(self._begin(event))
                case CallArguments(partial_json=piece):
                    seen += self._argue(self._input.feed(piece))
                    self._stop = self._input.matched
                    seen += [] if self._stop is None else self._end(CallEnd())
                case ReasoningDelta() if self._is_told(event):
                    # Text before a thought and text behind it are not one text.
                    seen += [*self._deltas(self._text.flush()), event]
                case CiteStart() | CiteEnd():
                    # Each of these texts is a block of its own.
                    seen += [*self._deltas(self._text.flush()), *self._quote(event)]
                case CallEnd():
                    seen += [*self._argue(self._input.flush()), *self._end(event)]
                case _:
                    pass
        return seen

    def _is_told(self, event: ReplyEvent) -> bool:
        return self._tells_thoughts or not isinstance(event, ReasoningDelta)

    def _say(self, text: str) -> list[ReplyEvent]:
        events = self._deltas(self._text.feed(text))
        self._stop = self._text.matched
        return events

    def _quote(self, event: CiteStart | CiteEnd) -> list[ReplyEvent]:
        """A citation begins with the first of its words that is to be seen: a stop sequence may leave none."""
        if isinstance(event, CiteStart):
            self._cites.append(event)
            return []
        begun, self._cites = not self._cites, []
        return [event] if begun else []

    def _deltas(self, text: str) -> list[ReplyEvent]:
        if not self._cites or not text.strip():
            return _deltas(text)
        begun, self._cites = self._cites, []
        return [*begun, TextDelta(text)]

    def _begin(self, call: CallStart) -> CallStart:
        self._input = StopMatcher(self._sequences)
        self._has_called = True
        if call.name not in self._members:
            return call
        self._pieces = []
        toolset, name = self._members[call.name]
        return CallStart(call.id, name, toolset)

    def _argue(self, piece: str) -> list[ReplyEvent]:
        if self._pieces is not None:
            self._pieces.append(piece)
            return []
        return [CallArguments(piece)] if piece else []

    def _end(self, end: CallEnd) -> list[ReplyEvent]:
        whole, self._pieces = "".join(self._pieces or ()), None
        return [*([CallArguments(whole)] if whole else []), end]


def _deltas(text: str) -> list[ReplyEvent]:
    return [TextDelta(text)] if text else []
