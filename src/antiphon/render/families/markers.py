"""The markers of a call syntax, found in text that a model wrote: leniently, and from any part of it.

White space inside a marker may be any or none, either quote does for the other, and what a marker leaves open
(`{index}`, `{id}`) is read over. What is around a marker is the reader's affair: markers are compared stripped.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from antiphon.render.families.syntax import CallSyntax

NO: Final = -1

PART: Final = -2
"""The text ends inside the marker: more of it will tell."""

_ATOMS: Final = re.compile(r"\{index\}|\{id\}|\s+|[\"']|[^\s\"'{]+|\{")

_JSON: Final = re.compile(r'\{\s*"|"\s*[:,}]')

_PUNCTUATION: Final = re.compile(r"[\[\]{},:]|[^\[\]{},:]+")

_LOOSE: Final = (("><", "> <"), ('">', '" >'), ('="', ' = "'))

_META: Final = re.compile(r"[\\.+*?()|\[\]{}^$/&~#\-]")

_SPACE: Final = re.compile(r"[ \t\r\n]*")

_OPEN_ENDED: Final = {"{index}": re.compile(r"[0-9]+"), "{id}": re.compile(r"[a-zA-Z0-9_-]+")}


class Marker:
    """One spelling, of one or more parts with white space between them."""

    def __init__(self, *parts: str) -> None:
        self._atoms: list[str] = []
        for part in parts:
            self._add(part.strip())
        while self._atoms and self._atoms[-1] == " ":
            self._atoms.pop()
        self.first = self._atoms[0] if self._atoms else ""

    def _add(self, part: str) -> None:
        if not part:
            return
        is_json = _JSON.search(part) is not None
        if self._atoms:
            self._atoms.append(" ")
        for tight, loose in _LOOSE:
            part = part.replace(tight, loose)
        for atom in _ATOMS.findall(part):
            if atom.isspace():
                self._atoms.append(" ")
            elif atom in _OPEN_ENDED or not is_json:
                self._atoms.append(atom)
            else:
                for piece in _PUNCTUATION.findall(atom):
                    around = [" ", piece, " "] if piece in "[]{},:" else [piece]
                    self._atoms += around if self._atoms else around[-2:]

    def pattern(self) -> str:
        """The same as a regular expression of any engine."""
        told = {" ": r"[ \t\r\n]*", '"': "[\"']", "'": "[\"']", "{index}": "[0-9]+", "{id}": "[a-zA-Z0-9_-]+"}
        return "".join(told.get(atom) or _META.sub(r"\\\g<0>", atom) for atom in self._atoms)

    def match(self, text: str, at: int) -> int:
        """Where the marker that begins at `at` ends, `NO` or `PART`."""
        for atom in self._atoms:
            if atom == " ":
                at = skip_space(text, at)
                continue
            if at >= len(text):
                return PART
            if atom in _OPEN_ENDED:
                found = _OPEN_ENDED[atom].match(text, at)
                if found is None:
                    return NO
                at = found.end()
            elif atom in "\"'":
                if text[at] not in "\"'":
                    return NO
                at += 1
            elif text.startswith(atom, at):
                at += len(atom)
            else:
                return PART if len(text) - at < len(atom) and atom.startswith(text[at:]) else NO
        return at


@dataclass(frozen=True, slots=True)
class Spellings:
    """Several ways to write one marker: the longest that fits counts."""

    markers: tuple[Marker, ...]
    exact: tuple[str, ...] = ()
    """Where a grammar is kept to, it takes only these for a beginning."""

    @classmethod
    def of(cls, *spellings: Sequence[str], exact: Iterable[str] = ()) -> "Spellings":
        """Each spelling as its parts, in order."""
        markers = tuple(Marker(*parts) for parts in dict.fromkeys(tuple(parts) for parts in spellings))
        return cls(markers, tuple(dict.fromkeys(exact)))

    def match(self, text: str, at: int, *, final: bool) -> int:
        """Where it ends, `NO`, or `PART` where more text could still make it one, or a longer one."""
        found = [marker.match(text, at) for marker in self.markers]
        if not final and PART in found:
            return PART
        return max(found, default=NO) if max(found, default=NO) >= 0 else NO

    def begins(self) -> re.Pattern[str] | None:
        """Where in a text one may begin; None where there is none at all."""
        firsts = {"[\"']" if marker.first in "\"'" else re.escape(marker.first[0]) for marker in self.markers}
        return re.compile("|".join(sorted(firsts))) if firsts else None


def skip_space(text: str, at: int) -> int:
    """The next place that is no white space."""
    found = _SPACE.match(text, at)
    assert found is not None
    return found.end()


@dataclass(frozen=True, slots=True)
class Openings:
    """What begins a call: `anywhere` in the text, at its `first` word, and `next` to another call."""

    anywhere: Spellings
    first: Spellings
    next: Spellings

    @classmethod
    def of(cls, syntax: CallSyntax) -> "Openings":
        """The openings of a syntax, up to the call's name."""
        opens = (syntax.call_open, *syntax.lenient_opens)
        whole = [(section, opened) for section in ("", *_sections(syntax)) for opened in opens]
        whole += [(trigger, opened) for trigger in syntax.triggers for opened in opens if not _begins(trigger, whole)]
        triggers = triggers_of(syntax)
        anywhere = [parts for parts in whole if "".join(parts).lstrip().startswith(triggers)]
        beginnings = (*triggers, *(text.lstrip() for text in syntax.first_triggers))
        first = [parts for parts in whole if "".join(parts).lstrip().startswith(beginnings)]
        follow = anywhere
        if syntax.section_open or syntax.between.strip():
            follow = [(syntax.between, *parts) for parts in whole] + whole
        goes_on = (syntax.between + syntax.call_open).lstrip()
        return cls(
            Spellings.of(*anywhere, exact=triggers),
            Spellings.of(*first, exact=beginnings),
            Spellings.of(*follow, exact=(*triggers, goes_on)),
        )


def triggers_of(syntax: CallSyntax) -> tuple[str, ...]:
    """The texts that begin a call section wherever they are written."""
    if syntax.triggers:
        return syntax.triggers
    if syntax.first_triggers:
        return ()
    opening = (syntax.section_open or syntax.call_open).strip()
    return (opening.split("\n")[0].rstrip(),)


def _sections(syntax: CallSyntax) -> list[str]:
    if not syntax.section_open:
        return []
    trigger = triggers_of(syntax)[:1]
    if not trigger or not syntax.section_open.startswith(trigger[0]):
        return [syntax.section_open]
    rest = syntax.section_open.removeprefix(trigger[0])
    return [other + rest for other in syntax.triggers or trigger if not syntax.call_open.startswith(other)]


def _begins(trigger: str, whole: Iterable[Sequence[str]]) -> bool:
    return any("".join(parts).startswith(trigger) for parts in whole)
