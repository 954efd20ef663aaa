"""What each endpoint has read, as far as it is known here: the beginnings of prompts, as hashes at marked lengths.

A prompt's marks stand at lengths that grow with it, an eighth apart, so that a prompt of a hundred thousand tokens
has no more than some seventy. A mark's hash covers all tokens before it: who holds a mark, holds those before it too.

A mark's holders are the bits of one number. An endpoint that has lost its memory gets another bit, so that forgetting
costs nothing, whatever it held.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

BLOCK: Final = 64
"""Tokens; a beginning that is shorter is not told from others."""

MOST_MARKS: Final = 400_000
"""Marks that are remembered, of all endpoints together: about 40 MB."""

_FINENESS: Final = 8
_MOST_RETIRED: Final = 1000


@dataclass(frozen=True, slots=True)
class Marks:
    """A prompt's beginnings: their hashes, and how many tokens each covers."""

    hashes: tuple[int, ...]
    lengths: tuple[int, ...]
    tokens: int


def marked(length: int) -> Iterator[int]:
    """Where the marks of a prompt of this length stand."""
    at = BLOCK
    while at <= length:
        yield at
        at += max(BLOCK, at // _FINENESS // BLOCK * BLOCK)


def marks_of(tokens: tuple[int, ...]) -> Marks:
    """The marks of a prompt."""
    hashes: list[int] = []
    lengths = tuple(marked(len(tokens)))
    last, before = 0, 0
    for at in lengths:
        before = hash((before, tokens[last:at]))
        hashes.append(before)
        last = at
    return Marks(tuple(hashes), lengths, len(tokens))


class Prefixes:
    """Who has read which beginnings; the longest unused are forgotten first. Endpoints are numbers from 0."""

    def __init__(self, endpoints: int, *, most: int = MOST_MARKS) -> None:
        self._half = max(1, most // 2)
        # Two halves: what is used moves to the young one; when that is full, what only the old one has is forgotten.
        self._young: dict[int, int] = {}
        self._old: dict[int, int] = {}
        self._bit = [1 << number for number in range(endpoints)]
        self._endpoint = dict(zip(self._bit, range(endpoints), strict=True))
        self._live = (1 << endpoints) - 1
        # A bit that was given up may stand in marks until both halves have gone.
        self._retired: list[int] = []
        self._leaving: list[int] = []
        self._unused: list[int] = []
        self._next = 1 << endpoints

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    @property
    def holders(self) -> frozenset[int]:
        """The sets of endpoints that are remembered, as bits."""
        return frozenset(self._young.values()) | frozenset(self._old.values())

    def read(self, endpoint: int, marks: Marks) -> None:
        """The endpoint has read this prompt."""
        bit, young, old = self._bit[endpoint], self._young, self._old
        for mark in marks.hashes:
            young[mark] = (young.get(mark) or old.pop(mark, 0)) & self._live | bit
        if len(young) >= self._half:
            self._turn_over()

    def shares(self, marks: Marks) -> list[tuple[int, Sequence[int]]]:
        """How many of the prompt's tokens are known to have been read, and by whom: the most first."""
        found: list[tuple[int, Sequence[int]]] = []
        holders, length = self._live, 0
        for mark, covered in zip(marks.hashes, marks.lengths, strict=True):
            still = holders & (self._young.get(mark) or self._old.get(mark, 0))
            if still != holders and length:
                found.append((length, tuple(self._endpoints(holders & ~still))))
            holders, length = still, covered
            if not holders:
                break
        if holders and length:
            found.append((length, tuple(self._endpoints(holders))))
        found.reverse()
        return found

    def forget(self, endpoint: int) -> None:
        """Nothing is known of what the endpoint has read."""
        bit = self._bit[endpoint]
        del self._endpoint[bit]
        self._live &= ~bit
        self._retired.append(bit)
        if len(self._retired) > _MOST_RETIRED:
            self._turn_over()
        if self._unused:
            bit = self._unused.pop()
        else:
            bit, self._next = self._next, self._next << 1
        self._bit[endpoint] = bit
        self._endpoint[bit] = endpoint
        self._live |= bit

    def _turn_over(self) -> None:
        self._old, self._young = self._young, {}
        self._unused += self._leaving
        self._leaving, self._retired = self._retired, []

    def _endpoints(self, bits: int) -> Iterator[int]:
        while bits:
            lowest = bits & -bits
            yield self._endpoint[lowest]
            bits ^= lowest
