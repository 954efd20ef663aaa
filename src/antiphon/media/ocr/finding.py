"""Where text stands in a picture: boxes of lines, and how the whole is turned.

The network draws a map of the middles of lines. What hangs together in it is a line; how its points lie tells the
skew, and their extent along the skewed axes is the box in the picture turned upright.
"""

from dataclasses import dataclass
from math import atan2, cos, degrees, pi, radians, sin
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from antiphon.media.ocr.networks import Pixels, finder

_STEP: Final = 32
_AREA: Final = 864 * 672
_LONGEST: Final = 1600
_INK: Final = 0.3
_SURE: Final = 0.5
_LEAST: Final = 3
_MOST: Final = 400
_GROWS: Final = 1.6
_LONG: Final = 3.0
_SKEWED: Final = 0.4
_MOST_SKEWED: Final = 20.0
_TALL: Final = 1.5


@dataclass(frozen=True, slots=True)
class Box:
    """A line's place, in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """From left to right."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """From top to bottom."""
        return self.bottom - self.top


@dataclass(frozen=True, slots=True)
class _Blot:
    """Points of the map that hang together, in pixels of the picture, and the map's mean there."""

    xs: NDArray[np.floating[Any]]
    ys: NDArray[np.floating[Any]]
    sure: float
    step: float


def find(picture: Image.Image) -> tuple[Image.Image, list[Box], int]:
    """The picture with its lines lying level, their boxes in it, and by how many degrees it was turned clockwise for
    that: a multiple of 90, skew not counted."""
    blots = _blots(picture)
    turned = 0
    if _stands(blots):
        width = picture.width
        picture = picture.transpose(Image.Transpose.ROTATE_270)
        # Clockwise: what was at the left is at the top now.
        height = picture.width
        blots = [_Blot(height - 1 - blot.ys, blot.xs, blot.sure, blot.step) for blot in blots]
        assert picture.height == width
        turned = 90
    skew = _skew(blots)
    if abs(skew) >= _SKEWED:
        blots = [_level(blot, picture.size, skew) for blot in blots]
        untyped: Any = picture
        picture = untyped.rotate(skew, Image.Resampling.BICUBIC, expand=False, fillcolor=picture.getpixel((0, 0)))
    boxes = (_box(blot, picture) for blot in blots)
    return picture, [box for box in boxes if box.width >= _LEAST and box.height >= _LEAST], turned


def _blots(picture: Image.Image) -> list[_Blot]:
    scale = min(1.0, (_AREA / (picture.width * picture.height)) ** 0.5, _LONGEST / max(picture.size))
    width, height = (max(_STEP, round(side * scale / _STEP) * _STEP) for side in picture.size)
    untyped: Any = picture
    small = np.asarray(untyped.resize((width, height), Image.Resampling.BILINEAR), dtype=np.float32)
    given = np.ascontiguousarray((small[:, :, ::-1] / 127.5 - 1.0).transpose(2, 0, 1)[None])
    drawn: Pixels = finder().run(given)[0, 0]
    across, down = picture.width / width, picture.height / height
    found: list[_Blot] = []
    for ys, xs in _together(drawn > _INK):
        if len(xs) < _LEAST * _LEAST:
            continue
        sure = float(drawn[ys, xs].mean())
        if sure >= _SURE:
            found.append(_Blot((xs + 0.5) * across, (ys + 0.5) * down, sure, down))
    found.sort(key=lambda blot: len(blot.xs), reverse=True)
    return found[:_MOST]


def _together(ink: NDArray[np.bool_]) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """The points that hang together: runs of each row, joined with those that they touch in the row above."""
    padded = np.zeros((ink.shape[0], ink.shape[1] + 2), dtype=np.int8)
    padded[:, 1:-1] = ink
    edges = np.diff(padded, axis=1)
    rows, starts = np.nonzero(edges == 1)
    _, ends = np.nonzero(edges == -1)
    parents = list(range(len(rows)))

    def root(run: int) -> int:
        while parents[run] != run:
            parents[run] = parents[parents[run]]
            run = parents[run]
        return run

    bounds: list[tuple[int, int, int]] = list(zip(rows.tolist(), starts.tolist(), ends.tolist(), strict=True))
    above = 0
    for run, (row, start, end) in enumerate(bounds):
        while bounds[above][0] < row - 1 or (bounds[above][0] == row - 1 and bounds[above][2] < start):
            above += 1
        other = above
        while bounds[other][0] == row - 1 and bounds[other][1] <= end:
            parents[root(other)] = root(run)
            other += 1
    groups: dict[int, list[int]] = {}
    for run in range(len(bounds)):
        groups.setdefault(root(run), []).append(run)
    found: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    for runs in groups.values():
        xs = np.concatenate([np.arange(bounds[run][1], bounds[run][2]) for run in runs])
        ys = np.concatenate([np.full(bounds[run][2] - bounds[run][1], bounds[run][0]) for run in runs])
        found.append((ys, xs))
    return found


def _stands(blots: list[_Blot]) -> bool:
    """Whether most of the text runs up or down."""
    tall = flat = 0.0
    for blot in blots:
        width, height = float(np.ptp(blot.xs)), float(np.ptp(blot.ys))
        if height > width * _TALL:
            tall += height
        elif width > height * _TALL:
            flat += width
    return tall > flat


def _skew(blots: list[_Blot]) -> float:
    """Degrees that the lines rise or fall, in the middle; 0 where there are none that tell."""
    found: list[tuple[float, float]] = []
    for blot in blots:
        spread: Any = np.cov(blot.xs, blot.ys)
        xx, xy, yy = float(spread[0, 0]), float(spread[0, 1]), float(spread[1, 1])
        angle = atan2(2 * xy, xx - yy) / 2
        long, short = _axes(xx, xy, yy)
        if long > short * _LONG * _LONG and abs(angle) < pi / 4:
            found.append((degrees(angle), long**0.5))
    if not found:
        return 0.0
    found.sort()
    half, passed = sum(weight for _, weight in found) / 2, 0.0
    for angle, weight in found:
        passed += weight
        if passed >= half:
            return angle if abs(angle) <= _MOST_SKEWED else 0.0
    return 0.0


def _axes(xx: float, xy: float, yy: float) -> tuple[float, float]:
    middle, apart = (xx + yy) / 2, (((xx - yy) / 2) ** 2 + xy**2) ** 0.5
    return middle + apart, middle - apart


def _level(blot: _Blot, size: tuple[int, int], skew: float) -> _Blot:
    """The points where they come to lie when the picture is turned about its middle."""
    x, y = size[0] / 2, size[1] / 2
    c, s = cos(radians(skew)), sin(radians(skew))
    return _Blot(
        x + (blot.xs - x) * c + (blot.ys - y) * s, y - (blot.xs - x) * s + (blot.ys - y) * c, blot.sure, blot.step
    )


def _box(blot: _Blot, picture: Image.Image) -> Box:
    """The line's box: the map shows its middle only, and the line is larger by what the network was taught."""
    half = blot.step / 2
    left, right = float(blot.xs.min()) - half, float(blot.xs.max()) + half
    top, bottom = float(blot.ys.min()) - half, float(blot.ys.max()) + half
    width, height = right - left, bottom - top
    more = width * height * _GROWS / (2 * (width + height))
    return Box(
        max(0.0, left - more),
        max(0.0, top - more),
        min(float(picture.width), right + more),
        min(float(picture.height), bottom + more),
    )
