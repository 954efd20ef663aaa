"""How long a picture takes to be read for a model that does not see it; `python -m benchmarks.pictures`."""

import asyncio
import io
import time
from typing import Any, Final

import psutil
from PIL import Image, ImageDraw, ImageFont

from antiphon.media.reader import Reader
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
    """The first picture, which loads the networks too, and the median of the next ones."""
    reader = Reader()
    try:
        for lines in (5, 20, 40):
            file = page(lines)
            seconds: list[float] = []
            characters = 0
            for _ in range(TIMES):
                began = time.perf_counter()
                read = await reader.description(file, "image/png", LIMIT)
                seconds.append(time.perf_counter() - began)
                characters = sum(len(line.text) for line in read.lines)
            (pid,) = reader.pids
            process = psutil.Process(pid)
            processor = process.cpu_times()
            print(
                f"{lines} lines ({characters} characters read): first "
                f"{seconds[0]:.2f} s, then {sorted(seconds[1:])[len(seconds) // 2 - 1]:.2f} s; "
                f"{process.memory_info().rss / 2**20:.0f} MiB, {processor.user + processor.system:.1f} s of processor"
            )
    finally:
        await reader.aclose()


if __name__ == "__main__":
    asyncio.run(measure())
