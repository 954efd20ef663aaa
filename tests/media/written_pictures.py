"""Pictures with text of this project's own making, and what stands in them."""

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from typing import Any, Final

from PIL import Image, ImageDraw, ImageFont

LETTER: Final = (
    "Harbour Office, 14 Quay Street",
    "12 March 2025",
    "Dear Mrs Okafor,",
    "thank you for your letter of 3 March about berth 27. The crane was",
    "repaired last week and the inspection found nothing else to mend.",
    "From the first of April the fee is 184.50 a month, payable in advance.",
    "Should you prefer to pay by the quarter, we grant you a discount of 4%.",
    "Please call 555-0172 before noon, or write to office@harbour.example.",
    "Yours sincerely, J. Lindqvist",
)
RECEIPT: Final = (
    "CORNER BAKERY",
    "Receipt No. 20931",
    "2 Sourdough loaf | 9.80",
    "1 Apple cake | 14.50",
    "3 Coffee | 8.70",
    "Total | 33.00",
    "Paid by card. Thank you!",
)
TABLE: Final = (
    "Region | Orders | Revenue | Change",
    "North | 1204 | 88,310 | +4.1%",
    "South | 976 | 71,044 | -2.3%",
    "East | 2311 | 150,902 | +11.8%",
    "West | 640 | 45,127 | +0.6%",
)
SCREEN: Final = (
    "File | Edit | View | Terminal | Help",
    "Traceback (most recent call last):",
    "ValueError: invalid literal for int()",
    "3 tests passed, 1 failed in 0.42 seconds",
    "Retry | Cancel",
)
SIGN: Final = ("NO ENTRY", "Deliveries at gate 5")
LEFT: Final = (
    "The tide turns twice a day,",
    "and with it the ferries.",
    "Nobody waits on the pier",
    "longer than they must.",
)
RIGHT: Final = (
    "Inland the roads are dry",
    "and the fields are long.",
    "Wheat stands to the knee",
    "from June to harvest.",
)


@dataclass(frozen=True, slots=True)
class Written:
    """A picture, and the lines in it in the order in which they are read. `turned`: see `ports.media.Description`."""

    name: str
    picture: Image.Image
    lines: tuple[str, ...]
    looks: str
    turned: int = 0

    @property
    def file(self) -> bytes:
        """As PNG."""
        return saved(self.picture)


def saved(picture: Image.Image, form: str = "PNG") -> bytes:
    """The picture's file."""
    buffer = io.BytesIO()
    picture.save(buffer, form)
    return buffer.getvalue()


@cache
def corpus() -> tuple[Written, ...]:
    """Letters, receipts, tables, screens and signs, some of them turned or askew."""
    letter, receipt = _page(900, 760, LETTER, 24), _cells(RECEIPT, 420, 440, (0, 300), 24)
    return (
        Written("a letter", letter, LETTER, "page"),
        Written("a letter on its side", letter.transpose(Image.Transpose.ROTATE_90), LETTER, "page", 90),
        Written("a letter on its head", letter.transpose(Image.Transpose.ROTATE_180), LETTER, "page", 180),
        Written("a letter on its other side", letter.transpose(Image.Transpose.ROTATE_270), LETTER, "page", 270),
        Written("a letter askew", _askew(letter, 3.0), LETTER, "page"),
        Written("a receipt", receipt, RECEIPT, "page"),
        Written("a receipt askew", _askew(receipt, -4.0), RECEIPT, "page"),
        Written("a table", _cells(TABLE, 760, 330, (0, 200, 360, 560), 24), TABLE, "page"),
        Written("a screen", _screen(), SCREEN, "screenshot"),
        Written("a sign", _sign(), SIGN, "drawing"),
        Written("two columns", _columns(), LEFT + RIGHT, "page"),
    )


def read_share(expected: Sequence[str], found: Sequence[str]) -> tuple[int, int]:
    """How many of the expected characters were read, in their order, and how many there are; spaces do not count."""
    wanted, got = ("".join(re.findall(r"[^\s|]", "".join(lines))) for lines in (expected, found))
    matched = sum(block.size for block in SequenceMatcher(None, wanted, got, autojunk=False).get_matching_blocks())
    return matched - max(0, len(got) - len(wanted)), len(wanted)


def _font(size: int) -> Any:
    return ImageFont.load_default(size)


def _drawn(width: int, height: int, ground: str, draw: Callable[[ImageDraw.ImageDraw], None]) -> Image.Image:
    picture = Image.new("RGB", (width, height), ground)
    draw(ImageDraw.Draw(picture))
    return picture


def _page(width: int, height: int, lines: Sequence[str], size: int) -> Image.Image:
    def draw(on: ImageDraw.ImageDraw) -> None:
        for n, line in enumerate(lines):
            on.text((50, 50 + n * size * 2), line, fill="black", font=_font(size))

    return _drawn(width, height, "white", draw)


def _cells(lines: Sequence[str], width: int, height: int, columns: Sequence[int], size: int) -> Image.Image:
    def draw(on: ImageDraw.ImageDraw) -> None:
        for n, line in enumerate(lines):
            for column, cell in zip(columns, line.split(" | "), strict=False):
                on.text((40 + column, 40 + n * size * 2), cell, fill="black", font=_font(size))

    return _drawn(width, height, "white", draw)


def _screen() -> Image.Image:
    def draw(on: ImageDraw.ImageDraw) -> None:
        on.rectangle((0, 0, 1000, 44), fill="#3a3f4b")
        for n, word in enumerate(SCREEN[0].split(" | ")):
            on.text((20 + 140 * n, 10), word, fill="white", font=_font(20))
        for n, line in enumerate(SCREEN[1:4]):
            on.text((40, 100 + 60 * n), line, fill=("#d7dae0", "#ff6b6b", "#98c379")[n], font=_font(20))
        for n, word in enumerate(SCREEN[4].split(" | ")):
            on.rectangle((40 + 260 * n, 420, 220 + 260 * n, 480), fill="#4b74d9")
            on.text((85 + 260 * n, 436), word, fill="white", font=_font(22))

    return _drawn(1000, 560, "#1e222a", draw)


def _sign() -> Image.Image:
    def draw(on: ImageDraw.ImageDraw) -> None:
        on.text((90, 80), SIGN[0], fill="white", font=_font(90))
        on.text((120, 240), SIGN[1], fill="white", font=_font(40))

    return _drawn(640, 380, "#c0392b", draw)


def _columns() -> Image.Image:
    def draw(on: ImageDraw.ImageDraw) -> None:
        for left, lines in ((40, LEFT), (460, RIGHT)):
            for n, line in enumerate(lines):
                on.text((left, 50 + 44 * n), line, fill="black", font=_font(24))

    return _drawn(860, 280, "white", draw)


def _askew(picture: Image.Image, degrees: float) -> Image.Image:
    untyped: Any = picture
    return untyped.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor="white")
