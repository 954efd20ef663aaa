"""Sixty pictures with text, made anew by each run from one seed: screenshots, receipts, tables, signs, turned pages.

The typefaces are Pillow's own and, where the machine has them (Debian's fonts-dejavu-core), four of DejaVu.
"""

import io
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final

from PIL import Image, ImageDraw, ImageFilter, ImageFont

from tests.media.written_pictures import Written

EACH: Final = 12
"""Pictures of a class."""

_SEED: Final = 20261128
_FACES: Final = ("DejaVuSans.ttf", "DejaVuSerif.ttf", "DejaVuSansMono.ttf", "DejaVuSans-Bold.ttf")
_PLACES: Final = (Path("/usr/share/fonts/truetype/dejavu"), Path("/usr/share/fonts/dejavu-sans-fonts"))
_DARK: Final = (("#1e222a", "#d7dae0"), ("#0c2233", "#e6edf3"), ("#202020", "#f0f0f0"))
_LIGHT: Final = (("#ffffff", "#222222"), ("#f5f5f0", "#333333"), ("#eef3fa", "#10243e"))
_SIGNS: Final = (
    ("#c0392b", "white"),
    ("#1f5fa8", "white"),
    ("#f4c20d", "black"),
    ("#1d7a3c", "white"),
    ("#ffffff", "#a01010"),
    ("#3b2a1a", "#f3e6c8"),
)
_WORDS: Final = tuple(
    re.findall(
        r"\w+",
        "harbour ferry crane berth ladder signal cargo anchor pilot captain weather morning evening platform ticket "
        "window garden bridge market station library engine valve pressure battery switch circuit report invoice "
        "payment discount customer account balance transfer branch meeting agenda minutes budget project schedule "
        "delivery package warehouse shelf inventory order quantity supplier kitchen recipe butter flour sugar pepper "
        "café crème brûlée façade naïve Straße Übung Größe señor mañana jalapeño forest valley mountain river summit "
        "quick brown jumps lazy vivid waxy zephyr glyph oxygen quartz jockey sphinx judge vow hazy public private",
    )
)
_ERRORS: Final = ("ValueError", "TimeoutError", "KeyError", "PermissionError", "ConnectionResetError")
_GOODS: Final = (
    "Milk 1L",
    "Rye bread",
    "Olive oil",
    "Apples kg",
    "Coffee 250g",
    "Green tea",
    "Soap",
    "Batteries AA",
    "Notebook A5",
    "Tomatoes",
    "Cheddar",
    "Orange juice",
    "Rice 2kg",
    "Candles",
)
_NOTICES: Final = (
    "NO PARKING",
    "EMERGENCY EXIT",
    "STAFF ONLY",
    "CAUTION WET FLOOR",
    "PLATFORM",
    "PRIVATE ROAD",
    "SPEED LIMIT",
    "TICKETS",
    "CITY LIBRARY",
    "MUSEUM",
    "KEEP CLEAR",
    "INFORMATION",
)


@cache
def printed() -> tuple[tuple[str, tuple[Written, ...]], ...]:
    """Each class by its name, with its pictures."""
    makers: tuple[tuple[str, Callable[[Random, int], Written]], ...] = (
        ("screenshots", _screenshot),
        ("receipts", _receipt),
        ("tables", _table),
        ("signs", _sign),
        ("turned pages", _turned_page),
    )
    return tuple((name, tuple(make(Random(f"{_SEED} {name} {n}"), n) for n in range(EACH))) for name, make in makers)


def faces() -> tuple[str | None, ...]:
    """The typefaces that are there, Pillow's own first."""
    found = (place / face for face in _FACES for place in _PLACES)
    return (None, *(str(path) for path in found if path.is_file()))


def _font(face: str | None, size: int) -> Any:
    return ImageFont.load_default(size) if face is None else ImageFont.truetype(face, size)


def _words(random: Random, least: int, most: int) -> str:
    return " ".join(random.choice(_WORDS) for _ in range(random.randint(least, most)))


def _price(random: Random) -> str:
    return f"{random.randint(1, 480)}.{random.randint(0, 99):02d}"


def _screenshot(random: Random, n: int) -> Written:
    ground, ink = random.choice(_DARK if n % 2 else _LIGHT)
    width, height = random.choice(((1280, 800), (1024, 768), (1366, 768)))
    picture = Image.new("RGB", (width, height), ground)
    draw = ImageDraw.Draw(picture)
    face, size = faces()[n % len(faces())], random.randint(13, 20)
    draw.rectangle((0, 0, width, 46), fill="#3a3f4b")
    menu = random.sample(("File", "Edit", "View", "Search", "Terminal", "Tools", "Help"), 4)
    for at, word in enumerate(menu):
        draw.text((24 + 150 * at, 11), word, fill="white", font=_font(face, 19))
    said = [
        f"$ make test ARGS={random.randint(2, 64)}",
        f'File "/srv/app/{random.choice(_WORDS[:60])}.py", line {random.randint(2, 900)}',
        f"{random.choice(_ERRORS)}: {_words(random, 3, 6)}",
        f"{random.randint(2, 90)} passed, {random.randint(1, 9)} failed in {_price(random)} seconds",
        *(
            f"{hour:02d}:{random.randint(10, 59)} {_words(random, 4, 7)}"
            for hour in range(8, 8 + random.randint(3, 8))
        ),
    ]
    for at, line in enumerate(said):
        draw.text((40, 90 + at * round(size * 2.1)), line, fill=ink, font=_font(face, size))
    buttons = random.sample(("Retry", "Cancel", "Continue", "Settings", "Close"), 2)
    for at, word in enumerate(buttons):
        left, top = width - 420 + 200 * at, height - 90
        draw.rounded_rectangle((left, top, left + 170, top + 50), 8, fill="#2f6fde")
        draw.text((left + 30, top + 12), word, fill="white", font=_font(face, 21))
    return Written(f"screenshot {n}", picture, (" ".join(menu), *said, " ".join(buttons)), "screenshot")


def _receipt(random: Random, n: int) -> Written:
    face, size = faces()[n % len(faces())], random.randint(18, 24)
    goods = random.sample(_GOODS, random.randint(4, 9))
    rows = [(f"{random.randint(1, 6)} x {what}", _price(random)) for what in goods]
    head = [
        " ".join([random.choice(("Corner", "Harbour", "Market", "Garden", "Station")), "Store"]).upper(),
        f"{random.randint(1, 190)} Quay Street",
        f"2026-{random.randint(1, 12):02d}-{random.randint(1, 28):02d} {random.randint(8, 20)}:{random.randint(10, 59)}",
        f"Receipt {random.randint(10_000, 99_999)}",
    ]
    foot = [("TOTAL", _price(random)), ("VAT 19%", _price(random))]
    last = f"Card **** {random.randint(1000, 9999)}  Thank you"
    lines = [(text, "") for text in head] + rows + foot + [(last, "")]
    width, step = size * 22, round(size * 1.8)
    shade = random.choice(("white", "#faf8f0", "#f0f0ee"))
    picture = Image.new("RGB", (width, step * len(lines) + 80), shade)
    draw = ImageDraw.Draw(picture)
    font = _font(face, size)
    for at, (left, right) in enumerate(lines):
        draw.text((30, 40 + at * step), left, fill="#202020", font=font)
        draw.text((width - 30, 40 + at * step), right, fill="#202020", font=font, anchor="ra")
    if n % 3:
        picture = _worn(picture, random)
    return Written(f"receipt {n}", picture, tuple(f"{left} {right}".strip() for left, right in lines), "page")


def _worn(picture: Image.Image, random: Random) -> Image.Image:
    """As a telephone's camera leaves it: grey, grainy, a little soft, packed hard."""
    grain = Image.frombytes("L", picture.size, random.randbytes(picture.width * picture.height)).convert("RGB")
    soft = picture.filter(ImageFilter.GaussianBlur(random.uniform(0.5, 1.2)))
    buffer = io.BytesIO()
    Image.blend(soft, grain, random.uniform(0.1, 0.25)).save(buffer, "JPEG", quality=random.randint(35, 60))
    return Image.open(buffer).convert("RGB")


def _table(random: Random, n: int) -> Written:
    face, size = faces()[n % len(faces())], random.randint(18, 24)
    heads = ["Region", *random.sample(("Orders", "Revenue", "Change", "Margin", "Returns", "Share"), 3)]
    names = random.sample(("North", "South", "East", "West", "Centre", "Islands", "Coast", "Valley", "Total"), 6)
    rows = [heads, *(_cells(random, name) for name in names)]
    column, step = size * 9, round(size * 2.2)
    picture = Image.new("RGB", (column * 4 + 60, step * len(rows) + 60), "white")
    draw = ImageDraw.Draw(picture)
    for at, row in enumerate(rows):
        top = 30 + at * step
        if n % 3 == 0:
            draw.rectangle((24, top - 6, column * 4 + 36, top - 6 + step), outline="#999999")
        elif at % 2:
            draw.rectangle((24, top - 6, column * 4 + 36, top - 6 + step), fill="#e8eef7")
        for across, cell in enumerate(row):
            draw.text((40 + across * column, top), cell, fill="black", font=_font(face, size))
    return Written(f"table {n}", picture, tuple(" ".join(row) for row in rows), "page")


def _cells(random: Random, name: str) -> list[str]:
    change = f"{random.choice('+-')}{random.randint(0, 30)}.{random.randint(0, 9)}%"
    return [name, str(random.randint(100, 9999)), f"{random.randint(10, 990)},{random.randint(100, 999)}", change]


def _sign(random: Random, n: int) -> Written:
    ground, ink = _SIGNS[n % len(_SIGNS)]
    face = faces()[n % len(faces())]
    title = _NOTICES[n]
    under = (
        f"Gate {random.randint(1, 40)}, {random.choice(_WORDS[:40])} entrance",
        f"Mon-Fri {random.randint(6, 9)}:00 to {random.randint(16, 22)}:30",
    )
    picture = Image.new("RGB", (960, 520), ground)
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((20, 20, 940, 500), 30, outline=ink, width=6)
    draw.text((480, 150), title, fill=ink, font=_font(face, 1440 // (len(title) + 7)), anchor="mm")
    for at, line in enumerate(under):
        draw.text((480, 310 + 80 * at), line, fill=ink, font=_font(face, 40), anchor="mm")
    return Written(f"sign {n}", picture, (title, *under), "drawing")


def _turned_page(random: Random, n: int) -> Written:
    face, size = faces()[n % len(faces())], random.randint(18, 24)
    lines = tuple(_sentences(random, random.randint(8, 14)))
    picture = Image.new("RGB", (size * 36, size * 52), "white")
    draw = ImageDraw.Draw(picture)
    for at, line in enumerate(lines):
        draw.text((size * 3, size * 3 + at * round(size * 1.7)), line, fill="black", font=_font(face, size))
    quarter, askew = (0, 90, 180, 270)[n % 4], (0.0, 3.5, -5.0, 1.5, -2.0, 7.0)[n % 6]
    untyped: Any = picture
    # Pillow turns the other way round than the one in which a page is turned upright.
    turned = untyped.rotate(quarter, expand=True)
    turned = turned.rotate(askew, Image.Resampling.BICUBIC, expand=True, fillcolor="white")
    return Written(f"turned page {n}", turned, lines, "page", quarter)


def _sentences(random: Random, count: int) -> Iterator[str]:
    for n in range(count):
        words: Sequence[str] = _words(random, 4, 6).split()
        ending = random.choice((".", ",", f", {random.randint(2, 99)} times", f" ({_price(random)})"))
        yield " ".join([words[0].capitalize() if n % 2 else words[0], *words[1:]])[:44] + ending
