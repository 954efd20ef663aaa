"""How long a picture takes to be read for a model that does not see it, and how much of it is read.

python -m benchmarks.pictures            # pages of 5, 20 and 40 lines
python -m benchmarks.pictures --corpus   # the tests' sixty screenshots, receipts, tables, signs and turned pages
"""

import asyncio
import io
import sys
import time
from typing import Any, Final

import psutil
from PIL import Image, ImageDraw, ImageFont

from antiphon.media.reader import Bounds, Reader
from antiphon.ports.media import ImageLimit

TIMES: Final = 5
LIMIT: Final = ImageLimit(8000, 20_000_000)
SENTENCE: Final = "The ferry left at noon with forty crates of lemons, two bicycles and a piano for the school."


def page(lines: int) -> bytes:
    """An A4 page at 150 dots an inch with so many lines of ninety characters."""
    picture = Image.new("RGB", (1240, 1754), "white")
    draw = ImageDraw.Draw(picture)
    font: Any = ImageFont.load_default(22)
    for line in range(lines):
        draw.text((100, 100 + 38 * line), SENTENCE, fill="black", font=font)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


async def measure() -> None:
    """The first picture, which loads the networks too, and the quickest and the median of the next ones."""
    reader = Reader(Bounds(reading=120))
    try:
        for lines in (5, 20, 40):
            file = page(lines)
            seconds: list[float] = []
            processor: list[float] = []
            characters = 0
            for _ in range(TIMES):
                spent, began = _processor(reader), time.perf_counter()
                read = await reader.description(file, "image/png", LIMIT)
                seconds.append(time.perf_counter() - began)
                processor.append(_processor(reader) - spent)
                characters = sum(len(line.text) for line in read.lines)
            later, used = sorted(seconds[1:]), sorted(processor[1:])
            print(
                f"{lines} lines ({characters} characters read): first {seconds[0]:.2f} s, then {later[0]:.2f} s at "
                f"best, {later[len(later) // 2]:.2f} s in the middle, with {used[0]:.2f} and "
                f"{used[len(used) // 2]:.2f} s of processor; {_resident(reader):.0f} MiB"
            )
    finally:
        await reader.aclose()


async def judge() -> None:
    """How much of each class of the corpus is read, and what it takes."""
    # The pictures are the tests', which nothing else here needs.
    from tests.media.printed_pictures import faces, printed
    from tests.media.written_pictures import read_share

    print(f"{len(faces())} typefaces")
    reader = Reader(Bounds(reading=120))
    total = whole = 0
    try:
        for name, pictures in printed():
            read = most = 0
            spent, began = _processor(reader), time.perf_counter()
            for one in pictures:
                said = await reader.description(one.file, "image/png", LIMIT)
                found, there = read_share(one.lines, [line.text for line in said.lines])
                read, most = read + found, most + there
            print(
                f"{name}: {len(pictures)} pictures, {100 * read / most:.1f} % of {most} characters, "
                f"{(time.perf_counter() - began) / len(pictures):.2f} s and "
                f"{(_processor(reader) - spent) / len(pictures):.2f} s of processor each"
            )
            total, whole = total + read, whole + most
        print(f"all: {100 * total / whole:.1f} % of {whole} characters")
    finally:
        await reader.aclose()


def _processor(reader: Reader) -> float:
    """Seconds of processor time that its process has had; 0 before there is one."""
    spent = [psutil.Process(pid).cpu_times() for pid in reader.pids]
    return sum(times.user + times.system for times in spent)


def _resident(reader: Reader) -> float:
    return sum(psutil.Process(pid).memory_info().rss for pid in reader.pids) / 2**20


if __name__ == "__main__":
    asyncio.run(judge() if "--corpus" in sys.argv else measure())
