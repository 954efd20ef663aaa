"""In which order lines are read: columns of prose one after the other, all else row by row."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from antiphon.media.ocr.finding import Box

_FEW: Final = 3
_PROSE: Final = 8.0
_FULL: Final = 0.55
_SAME_ROW: Final = 0.5


@dataclass(frozen=True, slots=True)
class Said:
    """What stands in a box."""

    box: Box
    text: str


def rows(said: Sequence[Said]) -> list[list[Said]]:
    """The rows of a picture in reading order, each from left to right."""
    if len(said) < 2:
        return [list(said)] if said else []
    for parts in (_apart(said), _columns(said)):
        if len(parts) > 1:
            return [row for part in parts for row in rows(part)]
    return _rows(said)


def _apart(said: Sequence[Said]) -> list[list[Said]]:
    """Parts above each other, where a wide gap or a line across the whole parts them, and some part has columns."""
    ordered = sorted(said, key=lambda one: one.box.top)
    height = median(one.box.height for one in said)
    parts: list[list[Said]] = [[ordered[0]]]
    bottom = ordered[0].box.bottom
    for one in ordered[1:]:
        if one.box.top - bottom > height:
            parts.append([])
        parts[-1].append(one)
        bottom = max(bottom, one.box.bottom)
    if len(parts) > 1 and any(len(_columns(part)) > 1 for part in parts):
        return parts
    return [list(said)]


def _columns(said: Sequence[Said]) -> list[list[Said]]:
    """Two columns, where a gap runs from top to bottom and both sides are prose: lines as long as the column."""
    ordered = sorted(said, key=lambda one: one.box.left)
    right = ordered[0].box.right
    height = median(one.box.height for one in said)
    for n, one in enumerate(ordered[1:], start=1):
        if one.box.left - right > height / 2 and _prose(ordered[:n]) and _prose(ordered[n:]):
            return [ordered[:n], ordered[n:]]
        right = max(right, one.box.right)
    return [list(said)]


def _prose(said: Sequence[Said]) -> bool:
    if len(said) < _FEW:
        return False
    wide = max(one.box.right for one in said) - min(one.box.left for one in said)
    usual = median(one.box.width for one in said)
    return usual >= _FULL * wide and usual >= _PROSE * median(one.box.height for one in said)


def _rows(said: Sequence[Said]) -> list[list[Said]]:
    found: list[list[Said]] = []
    for one in sorted(said, key=lambda one: one.box.top + one.box.bottom):
        if found and _beside(found[-1][-1].box, one.box):
            found[-1].append(one)
        else:
            found.append([one])
    return [sorted(row, key=lambda one: one.box.left) for row in found]


def _beside(one: Box, other: Box) -> bool:
    common = min(one.bottom, other.bottom) - max(one.top, other.top)
    return common > _SAME_ROW * min(one.height, other.height)
