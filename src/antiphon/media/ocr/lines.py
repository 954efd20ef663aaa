"""From a picture to the lines of text in it."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from PIL import Image

from antiphon.media.ocr.finding import Box, find
from antiphon.media.ocr.order import Said, rows
from antiphon.media.ocr.spelling import on_its_head, spell

_BETWEEN: Final = " | "
_SPACE: Final = 1.0


@dataclass(frozen=True, slots=True)
class Row:
    """A line as it is read; `left`, `top`: where it begins, as parts of the upright picture's width and height."""

    text: str
    left: float
    top: float


@dataclass(frozen=True, slots=True)
class Lines:
    """The text of a picture. `turned`: degrees, clockwise, that bring it upright. `share`: of it that is text."""

    rows: tuple[Row, ...]
    turned: int
    share: float


def read_lines(picture: Image.Image) -> Lines:
    """The text in an RGB picture, in reading order."""
    picture, boxes, turned = find(picture)
    if on_its_head(picture, boxes):
        picture = picture.transpose(Image.Transpose.ROTATE_180)
        width, height = picture.size
        boxes = [Box(width - box.right, height - box.bottom, width - box.left, height - box.top) for box in boxes]
        turned += 180
    said = [Said(box, text) for box, text in zip(boxes, spell(picture, boxes), strict=True) if text]
    share = sum(one.box.width * one.box.height for one in said) / (picture.width * picture.height)
    return Lines(tuple(_row(row, picture.size) for row in rows(said)), turned, share)


def _row(row: list[Said], size: tuple[int, int]) -> Row:
    text = row[0].text
    for before, one in pairwise(row):
        apart = one.box.left - before.box.right
        text += (_BETWEEN if apart > _SPACE * one.box.height else " ") + one.text
    return Row(text, max(0.0, row[0].box.left / size[0]), max(0.0, min(one.box.top for one in row) / size[1]))
