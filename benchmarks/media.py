"""How long a PDF takes to read, and how much memory; `python -m benchmarks.media`."""

import argparse
import asyncio
import io
import random
import resource
import sys
import time

from PIL import Image

from antiphon.dialogue.media import HIGH, STANDARD
from antiphon.media.reader import Reader
from antiphon.ports.media import PdfLimit

WORDS = ("the", "model", "reads", "pages", "as", "text", "and", "sees", "them", "so", "that", "tables", "are", "kept")
WIDTH, HEIGHT = 595, 842


def photograph(dice: random.Random) -> bytes:
    """A JPEG that compresses like a photograph: noise, made smooth."""
    small = Image.frombytes("RGB", (60, 40), dice.randbytes(60 * 40 * 3))
    buffer = io.BytesIO()
    small.transform((1200, 800), Image.Transform.EXTENT, (0, 0, 60, 40), Image.Resampling.BICUBIC).save(
        buffer, "JPEG"
    )
    return buffer.getvalue()


def content(dice: random.Random, pictured: bool) -> bytes:
    """A page full of text, 45 lines, or half of it and a picture."""
    lines = (" ".join(dice.choices(WORDS, k=13)) for _ in range(20 if pictured else 45))
    text = " ".join(f"({line}) Tj 0 -16 Td" for line in lines)
    drawn = "q 480 0 0 320 50 60 cm /X Do Q" if pictured else ""
    return f"BT /F 11 Tf 50 780 Td {text} ET {drawn}".encode()


def stream(data: bytes, entries: str = "") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), entries.encode(), data)


def document(pages: int) -> bytes:
    """A PDF of so many pages; every fifth has a picture. The same one every time."""
    dice = random.Random(pages)
    kids = " ".join(f"{5 + 2 * n} 0 R" for n in range(pages))
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        stream(
            photograph(dice),
            "/Type /XObject /Subtype /Image /Width 1200 /Height 800 /ColorSpace /DeviceRGB /BitsPerComponent 8"
            " /Filter /DCTDecode",
        ),
    ]
    for n in range(pages):
        bodies.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {WIDTH} {HEIGHT}] /Contents {6 + 2 * n} 0 R"
            " /Resources << /Font << /F 3 0 R >> /XObject << /X 4 0 R >> >> >>".encode()
        )
        bodies.append(stream(content(dice, n % 5 == 0)))
    out, places = bytearray(b"%PDF-1.7\n"), list[int]()
    for number, body in enumerate(bodies, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    return bytes(out + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(bodies) + 1, table))


def peak(who: int) -> float:
    """The most memory that this process, or any of its children that have ended, had at once; MiB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(who).ru_maxrss * unit / 2**20


async def measure(pages: int, *, high: bool, pictures: bool) -> None:
    """Read such a document once with a new worker, and print what it took."""
    data = document(pages)
    reader = Reader()
    try:
        began = time.perf_counter()
        read = await reader.pdf(data, PdfLimit(pages, pictures, HIGH if high else STANDARD))
        seconds = time.perf_counter() - began
    finally:
        await reader.aclose()
    images = [page.image for page in read.pages if page.image is not None]
    size = f"{images[0].width}x{images[0].height}" if images else "no pictures"
    print(
        f"{len(read.pages)} pages ({len(data) / 2**20:.1f} MiB), {size}: {seconds:.2f} s,"
        f" {sum(len(page.text) for page in read.pages)} characters,"
        f" {sum(len(image.data) for image in images) / 2**20:.1f} MiB of pictures"
    )
    print(
        f"peak memory: worker {peak(resource.RUSAGE_CHILDREN):.0f} MiB, server {peak(resource.RUSAGE_SELF):.0f} MiB"
    )


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=100)
    parser.add_argument("--high", action="store_true", help="pictures as large as the high-resolution tier sees them")
    parser.add_argument("--text", action="store_true", help="text only, no pictures of pages")
    asked = parser.parse_args()
    asyncio.run(measure(asked.pages, high=asked.high, pictures=not asked.text))


if __name__ == "__main__":
    main()
