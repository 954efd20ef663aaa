"""Pictures as engine-side values, and how large a model sees them."""

from dataclasses import dataclass
from typing import Final, Literal

PATCH: Final = 28
"""Pixels, each way, of the squares that a picture is cut into; each costs one token."""

Looks = Literal["photograph", "drawing", "screenshot", "page"]
"""Of which kind a picture seems to be."""

Scan = Literal["read", "unread"]
"""Whether a page without text of its own was read off its picture."""


@dataclass(frozen=True, slots=True)
class Image:
    """A picture as the model gets it: decoded once, scaled, and encoded anew as PNG or JPEG.

    `width` and `height` in pixels.
    """

    data: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Tier:
    """How large a model sees pictures: pixels of the longer side, and tokens of the whole, at most."""

    edge: int
    tokens: int


STANDARD: Final = Tier(1568, 1568)
HIGH: Final = Tier(2576, 4784)


def picture_tokens(width: int, height: int) -> int:
    """What a picture of this size costs: one token a patch, begun patches included. Source: Vision, image cost."""
    return -(-width // PATCH) * -(-height // PATCH)


def scaled(width: int, height: int, tier: Tier) -> tuple[int, int]:
    """The size at which the tier sees a picture: its own, or the largest of the same shape within both limits.

    The longer side is a whole number of pixels, as large as it can be; the shorter one follows from it, rounded half
    to even, and is never 0. Source: Coordinates and bounding boxes, reference implementation.
    """
    if _fits(width, height, tier):
        return width, height
    longer, shorter = max(width, height), min(width, height)
    fitting, too_large = 1, longer
    while too_large - fitting > 1:
        middle = (fitting + too_large) // 2
        if _fits(middle, _other_side(middle, longer, shorter), tier):
            fitting = middle
        else:
            too_large = middle
    other = _other_side(fitting, longer, shorter)
    return (fitting, other) if width >= height else (other, fitting)


def _fits(width: int, height: int, tier: Tier) -> bool:
    return max(width, height) <= tier.edge and picture_tokens(width, height) <= tier.tokens


def _other_side(side: int, longer: int, shorter: int) -> int:
    return max(1, round(side * shorter / longer))
