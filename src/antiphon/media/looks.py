"""What a picture looks like at a glance: its main colours, and of which kind it is. Runs in the worker."""

from collections import Counter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from antiphon.media.frames import Looks

_GLANCE: Final = 160
_MIDDLE: Final = 512
_FLAT: Final = 0.6
_FEW_COLOURS: Final = 600
_LIGHT: Final = 170
_GREY: Final = 36
_PAPER: Final = 0.5
_LINES: Final = 5
_WRITTEN: Final = 0.04
_FULL: Final = 0.15
_NAMED: Final = 4
_LEAST_SHARE: Final = 0.04

_GREYS: Final = 5
_COLOURS: Final[dict[str, tuple[int, int, int]]] = {
    "white": (255, 255, 255),
    "light grey": (205, 205, 205),
    "grey": (128, 128, 128),
    "dark grey": (64, 64, 64),
    "black": (0, 0, 0),
    "red": (215, 35, 35),
    "dark red": (120, 15, 20),
    "orange": (245, 140, 25),
    "brown": (125, 80, 40),
    "beige": (235, 220, 185),
    "yellow": (250, 225, 45),
    "olive": (115, 115, 40),
    "green": (50, 165, 65),
    "dark green": (20, 80, 35),
    "light green": (165, 220, 150),
    "turquoise": (50, 190, 190),
    "light blue": (160, 205, 240),
    "blue": (40, 95, 215),
    "dark blue": (20, 35, 100),
    "purple": (130, 55, 160),
    "pink": (245, 160, 195),
}


def colours(picture: Image.Image) -> tuple[tuple[str, int], ...]:
    """The names of the main colours, each with the part of the picture that it takes, in percent."""
    pixels = _glance(picture).reshape(-1, 3).astype(np.int32)
    known = np.array(list(_COLOURS.values()), dtype=np.int32)
    apart = ((pixels[:, None, :] - known[None]) ** 2).sum(axis=2)
    # A tint is not yet a colour: what is nearly grey has a grey's name, and nothing else has.
    greys = np.arange(len(known)) < _GREYS
    grey = pixels.max(axis=1) - pixels.min(axis=1) <= _GREY
    apart[grey[:, None] != greys[None]] = np.iinfo(np.int32).max
    nearest = apart.argmin(axis=1)
    names = list(_COLOURS)
    found = Counter({names[n]: count for n, count in enumerate(np.bincount(nearest, minlength=len(names)).tolist())})
    return tuple(
        (name, round(100 * count / len(pixels)))
        for name, count in found.most_common(_NAMED)
        if count >= _LEAST_SHARE * len(pixels)
    )


def kind(picture: Image.Image, lines: int, share: float) -> Looks:
    """Of which kind the picture is, by how much of it is flat, how light it is, and how much of it is text.

    A photograph has hardly two neighbours alike. A page is light and grey and has many lines; what has text and is
    coloured, dark, or text here and there, is a screen; a flat picture of little text is a drawing.
    """
    pixels = _glance(picture, Image.Resampling.NEAREST).astype(np.int16)
    flat = float((np.abs(np.diff(pixels, axis=1)).max(axis=2) == 0).mean())
    different = len(np.unique(pixels.astype(np.int32) @ np.array([65536, 256, 1])))
    dark = pixels.min(axis=2)
    paper = float(((dark >= _LIGHT) & (pixels.max(axis=2) - dark <= _GREY)).mean())
    if lines >= _LINES and paper >= _PAPER and share >= _WRITTEN:
        return "page" if picture.height >= picture.width or share >= _FULL else "screenshot"
    if flat < _FLAT and different > _FEW_COLOURS:
        return "photograph"
    return "screenshot" if lines >= _LINES else "drawing"


def _glance(picture: Image.Image, how: Image.Resampling = Image.Resampling.BOX) -> NDArray[np.uint8]:
    untyped: Any = picture
    scale = min(1.0, _GLANCE / max(picture.size))
    if how is Image.Resampling.NEAREST and scale < 1:
        # Neighbours must be neighbours of the picture itself: the middle of it, in full size.
        left, top = (max(0, (side - _MIDDLE) // 2) for side in picture.size)
        return np.asarray(picture.crop((left, top, left + _MIDDLE, top + _MIDDLE)))
    size = tuple(max(1, round(side * scale)) for side in picture.size)
    return np.asarray(untyped.resize(size, how))
