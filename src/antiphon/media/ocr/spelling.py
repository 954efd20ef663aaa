"""What lines say: cut out, brought to the network's height, read in batches of about one length."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any, Final

import numpy as np
from PIL import Image

from antiphon.media.available import READING_THREADS
from antiphon.media.ocr.finding import Box
from antiphon.media.ocr.networks import Pixels, reader, turner

_HEIGHT: Final = 48
_NARROW: Final = 32
_WIDE: Final = 2880
_BATCH: Final = 1440
# Letters narrower than they were taught are read nearly as well, in less time: of a thousand, one more is lost.
_SQUEEZED: Final = 0.75
_SURE: Final = 0.5
_VOTERS: Final = 8
_VOTE: Final = 192
_HEAD: Final = 0.6


def spell(picture: Image.Image, boxes: Sequence[Box]) -> list[str]:
    """What stands in each box; empty where the network is not sure."""
    cut = [_line(picture, box) for box in boxes]
    batches: list[list[int]] = []
    for position in sorted(range(len(boxes)), key=lambda n: cut[n].shape[2]):
        if not batches or cut[position].shape[2] * (len(batches[-1]) + 1) > _BATCH:
            batches.append([])
        batches[-1].append(position)
    said = [""] * len(boxes)
    reader()
    with ThreadPoolExecutor(READING_THREADS) as threads:
        # The longest first, so that no thread is left alone with one.
        batches.reverse()
        for batch, texts in zip(batches, threads.map(partial(_read, cut), batches), strict=True):
            for position, text in zip(batch, texts, strict=True):
                said[position] = text
    return said


def on_its_head(picture: Image.Image, boxes: Sequence[Box]) -> bool:
    """Whether most of the longest lines stand on their heads."""
    voters = sorted(boxes, key=lambda box: box.width, reverse=True)[:_VOTERS]
    if not voters:
        return False
    given = np.zeros((len(voters), 3, _HEIGHT, _VOTE), dtype=np.float32)
    for n, box in enumerate(voters):
        # A long line is looked at in part: squeezed, its letters could not be told apart.
        part = Box(box.left, box.top, min(box.right, box.left + box.height * _VOTE / _HEIGHT), box.bottom)
        line = _line(picture, part, 1.0)[:, :, :_VOTE]
        given[n, :, :, : line.shape[2]] = line
    return float(turner().run(given)[:, 1].mean()) > _HEAD


@cache
def _characters() -> tuple[str, ...]:
    return reader().characters


def _line(picture: Image.Image, box: Box, squeezed: float = _SQUEEZED) -> Pixels:
    width = round(_HEIGHT * squeezed * box.width / max(1.0, box.height))
    untyped: Any = picture
    line = untyped.resize(
        (min(max(width, _NARROW), _WIDE), _HEIGHT),
        Image.Resampling.BILINEAR,
        box=(box.left, box.top, max(box.right, box.left + 1), max(box.bottom, box.top + 1)),
    )
    pixels: Pixels = np.asarray(line, dtype=np.float32)[:, :, ::-1].transpose(2, 0, 1) / 127.5 - 1.0
    return pixels


def _read(cut: Sequence[Pixels], batch: Sequence[int]) -> list[str]:
    widest = max(cut[position].shape[2] for position in batch)
    given = np.zeros((len(batch), 3, _HEIGHT, -(-widest // 8) * 8), dtype=np.float32)
    for n, position in enumerate(batch):
        given[n, :, :, : cut[position].shape[2]] = cut[position]
    found = reader().run(given)
    best, sure = found.argmax(axis=2), found.max(axis=2)
    return [_spelled(best[n].tolist(), sure[n].tolist()) for n in range(len(batch))]


def _spelled(numbers: Sequence[int], scores: Sequence[float]) -> str:
    """What the network wrote: one number a step, 0 where there is nothing new, the same again where it goes on."""
    characters, last = _characters(), 0
    text: list[str] = []
    sure: list[float] = []
    for number, score in zip(numbers, scores, strict=True):
        if number not in (0, last):
            text.append(characters[number])
            sure.append(score)
        last = number
    return "".join(text).strip() if sure and sum(sure) / len(sure) >= _SURE else ""
