"""Reasoning and text told apart in what a model wrote, and the markup around both dropped.

Comes behind the call reader, so that a call inside of reasoning is a call, and a marker inside of a call's arguments
is part of them.
"""

import re
from collections.abc import Iterable

from antiphon.dialogue.events import ReasoningDelta, ReplyEvent, TextDelta
from antiphon.render.families.syntax import Family


class ReasoningReader:
    """Reads one reply's events. `inside`: the prompt ends inside of a thought; `behind`: it ends behind one.

    Every run of reasoning begins with an empty delta, and there is no run without more. White space next to a marker
    belongs to the marker. The same text gives the same events under every cut.

    Behind a thought of the prompt's another may follow at once, also in the tags of a model that does not reason by
    nature; anywhere else those tags are text.
    """

    def __init__(self, family: Family, *, inside: bool = False, behind: bool = False) -> None:
        thought = family.thought
        own = (thought.open.strip(), thought.close)
        self._closings = dict(family.reasoning)
        self._outer = (*self._closings, *family.hidden, *(thought.frame if inside or behind else ()))
        self._again = own if (inside or behind) and own[0] not in self._closings else None
        closings = dict.fromkeys((*self._closings.values(), thought.close))
        self._inner = tuple(closings) if inside else ()
        firsts = {marker[0] for marker in (*self._outer, own[0], *closings)}
        self._begins = re.compile("|".join(map(re.escape, sorted(firsts))))
        self._text = ""
        self._space = ""
        self._after_marker = inside or behind
        self._begun = False

    @property
    def inside(self) -> bool:
        """Whether the model is thinking now, as far as it can be said."""
        return bool(self._inner)

    def read(self, events: Iterable[ReplyEvent]) -> list[ReplyEvent]:
        """What these events are, as far as it can be said."""
        told: list[ReplyEvent] = []
        for event in events:
            if isinstance(event, TextDelta):
                self._text += event.text
                self._run(told, final=False)
            else:
                self._flush(told)
                self._inner, self._begun = (), False
                told.append(event)
        return told

    def finish(self) -> list[ReplyEvent]:
        """What was still held back when the model stopped."""
        told: list[ReplyEvent] = []
        self._flush(told)
        return told

    def _flush(self, told: list[ReplyEvent]) -> None:
        self._run(told, final=True)
        if self._space and not self._inner and not self._after_marker:
            told.append(TextDelta(self._space))
        self._space = ""

    def _run(self, told: list[ReplyEvent], *, final: bool) -> None:
        at = 0
        while (begin := self._begins.search(self._text, at)) is not None:
            at = begin.start()
            markers = self._markers(self._text[:at])
            rest = len(self._text) - at
            if not final and any(len(marker) > rest and marker.startswith(self._text[at:]) for marker in markers):
                break
            found = max((marker for marker in markers if self._text.startswith(marker, at)), key=len, default=None)
            if found is None:
                at += 1
                continue
            self._say(self._text[:at], told)
            self._pass(found)
            self._text, at = self._text[at + len(found) :], 0
        else:
            at = len(self._text)
        self._say(self._text[:at], told)
        self._text = self._text[at:]

    def _markers(self, before: str) -> tuple[str, ...]:
        if self._inner:
            return self._inner
        again = self._again is not None and self._after_marker and not before.strip()
        return (*self._outer, self._again[0]) if self._again is not None and again else self._outer

    def _pass(self, marker: str) -> None:
        self._space = ""
        self._after_marker = True
        closing = None if self._inner else self._closings.get(marker)
        if self._again is not None and marker == self._again[0] and not self._inner:
            closing = self._again[1]
        self._inner, self._begun = (() if closing is None else (closing,)), False

    def _say(self, text: str, told: list[ReplyEvent]) -> None:
        if self._after_marker:
            text = text.lstrip()
        text = self._space + text
        said = text.rstrip()
        self._space = text[len(said) :]
        if not said:
            return
        self._after_marker = False
        if not self._inner:
            told.append(TextDelta(said))
            return
        if not self._begun:
            self._begun = True
            told.append(ReasoningDelta(""))
        told.append(ReasoningDelta(said))
