"""Anchors within groups, brought to the edges of a pattern's alternatives, where every reader of patterns has them.

`(^a|b$)` is `^a|b$`. A pattern is at most four alternatives: of texts found anywhere, at the beginning, at the end,
and as the whole. What stands before a `^`, or behind a `$`, can be empty there or nothing is found.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

MOST_CHARACTERS: Final = 8_000
"""How long the alternatives may come to be together: some parts are told several times."""

MOST_COPIES: Final = 8
"""How often a group with anchors may be repeated, by a number that the pattern gives."""

_PIECE: Final = re.compile(
    r"\\(?:[pPu]\{[^}]*\}|x[0-9a-f]{2}|.)|\[(?:\\.|\[(?:\\.|[^\]\\])*\]|[^\[\]\\])*\]|\(\?:|\{\d+(?:,\d*)?\}|.",
    re.DOTALL,
)
_COUNTED: Final = re.compile(r"\{(\d+)(,)?(\d*)\}")
_SIGNS: Final[dict[str, tuple[int, int | None]]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}


def at_the_edges(pattern: str) -> str | None:
    """A rewritten pattern with its anchors at the edges of its alternatives alone; it is found in the same texts.

    None where no text has it, and where it would be too long.
    """
    pieces: list[str] = _PIECE.findall(pattern)
    if _are_there(pieces):
        return pattern
    try:
        ways = _Reader(pieces).alternatives()
    except _TooLongError:
        return None
    told = (f"{'^' if begins else ''}{body.text}{'$' if ends else ''}" for (begins, ends), body in ways.items())
    return "|".join(told) if ways else None


def _are_there(pieces: list[str]) -> bool:
    depth = 0
    for n, piece in enumerate(pieces):
        depth += (piece == "(?:") - (piece == ")")
        neighbour = {"^": pieces[n - 1 : n], "$": pieces[n + 1 : n + 2]}.get(piece)
        if neighbour is not None and (depth or neighbour not in ([], ["|"])):
            return False
    return True


class _TooLongError(Exception):
    pass


@dataclass(frozen=True, slots=True)
class _Body:
    """A pattern without anchors that can stand beside others."""

    text: str
    may_be_empty: bool


_Ways = dict[tuple[bool, bool], _Body]
"""Whether the text begins before the body, and ends behind it → the body. None at all: never found."""

_ANYWHERE: Final = (False, False)
_EMPTY: Final = _Body("", may_be_empty=True)
_NOTHING: Final[_Ways] = {_ANYWHERE: _EMPTY}


class _Reader:
    def __init__(self, pieces: list[str]) -> None:
        self._pieces = [*pieces, ""]
        self._at = 0

    def alternatives(self) -> _Ways:
        found = [self._sequence()]
        while self._pieces[self._at] == "|":
            self._at += 1
            found.append(self._sequence())
        return _either(found)

    def _sequence(self) -> _Ways:
        told = _NOTHING
        while self._pieces[self._at] not in ("", "|", ")"):
            told = _one_behind_another(told, self._repeated(self._one()))
        return told

    def _one(self) -> _Ways:
        piece = self._pieces[self._at]
        self._at += 1
        match piece:
            case "^":
                return {(True, False): _EMPTY}
            case "$":
                return {(False, True): _EMPTY}
            case "(?:":
                inner = self.alternatives()
                self._at += 1
                return inner
            case _:
                return {_ANYWHERE: _Body(piece, may_be_empty=False)}

    def _repeated(self, ways: _Ways) -> _Ways:
        sign = self._pieces[self._at]
        counted = _COUNTED.fullmatch(sign)
        if counted is not None:
            least = int(counted[1])
            most = int(counted[3]) if counted[3] else None if counted[2] else least
        elif sign in _SIGNS:
            least, most = _SIGNS[sign]
        else:
            return ways
        self._at += 1
        if ways.keys() == {_ANYWHERE}:
            body = ways[_ANYWHERE]
            return {_ANYWHERE: _Body(f"(?:{body.text}){sign}", body.may_be_empty or not least)}
        return _copies(ways, least, most)


def _copies(ways: _Ways, least: int, most: int | None) -> _Ways:
    if max(least, most or 0) > MOST_COPIES:
        raise _TooLongError
    told = _NOTHING
    for _ in range(least):
        told = _one_behind_another(told, ways)
    if most is None:
        return _one_behind_another(told, _any_number(ways))
    for _ in range(most - least):
        told = _one_behind_another(told, _either([_NOTHING, ways]))
    return told


def _any_number(ways: _Ways) -> _Ways:
    # Copies that are empty can be left away. Of the others only the first is at the beginning, the last at the end.
    plain = ways.get(_ANYWHERE)
    told: _Ways = _NOTHING if plain is None else {_ANYWHERE: _Body(f"(?:{plain.text})*", may_be_empty=True)}
    first = {edges: body for edges, body in ways.items() if edges == (True, False)}
    last = {edges: body for edges, body in ways.items() if edges == (False, True)}
    alone = {edges: body for edges, body in ways.items() if edges == (True, True)}
    told = _one_behind_another(_either([_NOTHING, first]), told)
    return _either([_one_behind_another(told, _either([_NOTHING, last])), alone])


def _one_behind_another(some: _Ways, others: _Ways) -> _Ways:
    return _either(
        {
            (begins or begins_there, ends_here or ends): _Body(
                one.text + other.text, one.may_be_empty and other.may_be_empty
            )
        }
        for (begins, ends_here), before in some.items()
        for (begins_there, ends), behind in others.items()
        if (not begins_there or before.may_be_empty) and (not ends_here or behind.may_be_empty)
        for one, other in [(_EMPTY if begins_there else before, _EMPTY if ends_here else behind)]
    )


def _either(all_ways: Iterable[_Ways]) -> _Ways:
    bodies: dict[tuple[bool, bool], dict[str, _Body]] = {}
    for ways in all_ways:
        for edges, body in ways.items():
            bodies.setdefault(edges, {})[body.text] = body
    found = {edges: _one_of(list(several.values())) for edges, several in bodies.items()}
    if sum(len(body.text) for body in found.values()) > MOST_CHARACTERS:
        raise _TooLongError
    return found


def _one_of(bodies: list[_Body]) -> _Body:
    if len(bodies) == 1:
        return bodies[0]
    text = f"(?:{'|'.join(body.text for body in bodies if body.text)})"
    is_optional = any(not body.text for body in bodies)
    return _Body(f"{text}?" if is_optional else text, any(body.may_be_empty for body in bodies))
