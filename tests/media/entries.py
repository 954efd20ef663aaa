"""One file of a corpus, and what may become of it."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

SEED = 20_261_122


@dataclass(frozen=True, slots=True)
class Entry:
    """`kind`: the problem that it must end with; None: any problem, or none, but never a timeout or a crash.

    `wearing`: made to wear the reader out; it may also be stopped by the clock, by memory, or by its own crash.
    """

    name: str
    data: bytes
    declared: str | None = None
    kind: str | None = None
    wearing: bool = False


def damaged(name: str, data: bytes, declared: str | None, cuts: int, flips: int) -> Iterator[Entry]:
    """The file cut off at so many places, and with bits flipped in so many ways; the same ones every time."""
    dice = random.Random(f"{SEED} {name}")
    for n in range(cuts):
        end = len(data) * (n + 1) // (cuts + 1)
        yield Entry(f"{name} cut off at {end}", data[:end], declared)
    for n in range(flips):
        changed = bytearray(data)
        for _ in range(1 + n % 8):
            changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
        yield Entry(f"{name} with flipped bits {n}", bytes(changed), declared)
