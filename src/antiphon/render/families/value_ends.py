"""Where a tagged value ends: at its closing tag, as long as what follows is what may follow a value.

A value may hold the tag itself, then, and any other markup. Only the tag with the next parameter's opening or the
call's end behind it ends a value, however it is spelled; the grammar keeps texts free of that and the reader looks
for nothing else. A value that the schema lists may hold even that: the longest listed text that fits is the value.
"""

import re
from collections.abc import Sequence
from typing import Final

from antiphon.render.families.fixed_texts import FixedTexts
from antiphon.render.families.markers import PART, Marker, Spellings, skip_space
from antiphon.render.families.syntax import CallSyntax, TaggedArguments

NOT_YET: Final = -1
"""In place of an end: more text will tell."""


def followers(tags: TaggedArguments, syntax: CallSyntax) -> tuple[str, ...]:
    """What may follow a value's closing tag, in any spelling."""
    return tuple(dict.fromkeys((tags.open, syntax.call_close, *syntax.lenient_closes)))


def ending_pattern(tags: TaggedArguments, syntax: CallSyntax) -> str:
    """Everything that ends a value wherever it stands, as a regular expression of any engine."""
    return "|".join(Marker(tags.close, follower).pattern() for follower in followers(tags, syntax))


def holds_ending(text: str, tags: TaggedArguments, syntax: CallSyntax) -> bool:
    """Whether only its being listed keeps the text from ending too early."""
    return re.search(ending_pattern(tags, syntax), text) is not None


class ValueEnds:
    """Finds the ends of one call's values. `enforced`: a grammar kept the model to what may follow a value."""

    def __init__(self, tags: TaggedArguments, syntax: CallSyntax, *, enforced: bool) -> None:
        self.close = tags.close.strip()
        self._trail = tags.close[: len(tags.close) - len(tags.close.lstrip())]
        follow = [(follower,) for follower in followers(tags, syntax)]
        if not enforced:
            # Models are known to forget what ends a call before they begin the next.
            follow += [(opening,) for opening in (syntax.call_open, *syntax.lenient_opens)]
            follow += [(syntax.section_close,)] if syntax.section_close else []
        self._follow = Spellings.of(*follow)
        self._call_ends = _CallEnds(syntax)
        self._enforced = enforced

    def find(self, text: str, at: int, fixed: FixedTexts, *, final: bool) -> tuple[int, int]:
        """The value's end and where its tag ends; where it does not, how far the text is surely the value's.

        In a text that is over, a value ends at the first tag where none is followed as it should be, and before what
        ends the call where there is no tag at all.
        """
        begin, first = at, -1
        while (closed := text.find(self.close, begin)) >= 0:
            after = self._ended(text, closed, final=final)
            if after is None:
                # Without a grammar the model may only have left something out behind it.
                first = closed if first < 0 and not self._enforced else first
                begin = closed + 1
                continue
            before = self._before(text, at, closed)
            if after == NOT_YET:
                return (before if first < 0 else self._before(text, at, first)), NOT_YET
            return self._listed(text, at, fixed, closed, final=final) or (before, after)
        if first >= 0:
            return self._before(text, at, first), first + len(self.close) if final else NOT_YET
        safe = self._safe(text, at)
        if not final:
            return safe, NOT_YET
        return (safe if safe < len(text) and self._call_ends.fit(text, safe) else len(text)), len(text)

    def fit(self, text: str, at: int) -> bool:
        """Whether nothing but the end of the call stands between here and the end of the text, as far as it goes."""
        return self._call_ends.fit(text, at)

    def _before(self, text: str, at: int, closed: int) -> int:
        """The end of the value before a tag there."""
        begin = closed - len(self._trail)
        return begin if begin >= at and text.startswith(self._trail, begin) else closed

    def _ended(self, text: str, closed: int, *, final: bool) -> int | None:
        """Where the tag ends that begins there; None where it is part of the value."""
        after = closed + len(self.close)
        follow = skip_space(text, after)
        if follow == len(text):
            return after if final else NOT_YET
        found = [marker.match(text, follow) for marker in self._follow.markers]
        if any(end >= 0 for end in found):
            return after
        if PART in found:
            return after if final else NOT_YET
        return None

    def _listed(self, text: str, at: int, fixed: FixedTexts, closed: int, *, final: bool) -> tuple[int, int] | None:
        """The end of the longest listed text that goes on behind this tag."""
        for rest in fixed.rests:
            if at + len(rest) <= closed:
                break
            for whole in (rest + self._trail + self.close, rest + self.close):
                if text.startswith(whole, at):
                    after = self._ended(text, at + len(whole) - len(self.close), final=final)
                    if after is not None and after != NOT_YET:
                        return at + len(rest), after
                    if after is None:
                        continue
                elif not whole.startswith(text[at:]):
                    continue
                if not final:
                    return self._before(text, at, closed), NOT_YET
        return None

    def _safe(self, text: str, at: int) -> int:
        """How far the text belongs to the value whatever comes: up to what may be its closing tag, or the call's."""
        whole = self._trail + self.close
        for begin in range(max(at, len(text) - len(whole) + 1), len(text)):
            if whole.startswith(text[begin:]) or self.close.startswith(text[begin:]):
                break
        else:
            begin = len(text)
        for place in range(at, begin):
            if text[place] in self._call_ends.firsts and self._call_ends.fit(text, place):
                return place
        return begin


class _CallEnds:
    """What ends a whole call, in case the tag that should end its last value was forgotten."""

    def __init__(self, syntax: CallSyntax) -> None:
        markers: Sequence[Marker] = (Marker(syntax.call_close), Marker(syntax.call_close, syntax.section_close))
        self._markers = [marker for marker in markers if marker.first]
        self.firsts = frozenset(marker.first[0] for marker in self._markers)

    def fit(self, text: str, at: int) -> bool:
        """Whether nothing but such an end stands between here and the end of the text, as far as it goes."""
        for marker in self._markers:
            end = marker.match(text, at)
            if end == PART or (end >= 0 and skip_space(text, end) == len(text)):
                return True
        return False
