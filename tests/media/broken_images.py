"""Images that are broken, lie about themselves or are made to hurt; the same ones every time."""

import io
import struct
import zlib
from collections.abc import Callable, Iterator

from PIL import Image

from tests.media.entries import SEED, Entry, damaged

PNG, JPEG, GIF, WEBP = "image/png", "image/jpeg", "image/gif", "image/webp"
TYPES = (PNG, JPEG, GIF, WEBP)
SIGNATURE = b"\x89PNG\r\n\x1a\n"
HUGE = (8_001, 20_000, 65_535)


def noise(mode: str, width: int = 64, height: int = 48) -> Image.Image:
    """A picture that does not compress."""
    import random

    channels = len(mode) if mode != "P" else 1
    data = random.Random(SEED).randbytes(width * height * channels)
    return Image.frombytes("L" if mode == "P" else mode, (width, height), data).convert(mode)


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    save: Callable[..., None] = image.save
    save(buffer, form, **options)
    return buffer.getvalue()


def animation(form: str) -> bytes:
    frames = [noise("RGB").rotate(90 * n) for n in range(3)]
    return saved(frames[0], form, save_all=True, append_images=frames[1:], loop=0, duration=20)


def sound() -> dict[str, tuple[bytes, str]]:
    """Files with nothing wrong: name → (data, media type)."""
    rgb = noise("RGB")
    sixteen = Image.frombytes("I;16", (64, 48), bytes(range(256)) * 24)
    return {
        "png rgb": (saved(rgb, "PNG"), PNG),
        "png rgba": (saved(noise("RGBA"), "PNG"), PNG),
        "png palette": (saved(noise("P"), "PNG"), PNG),
        "png 16 bit": (saved(sixteen, "PNG"), PNG),
        "png one bit": (saved(rgb.convert("1"), "PNG"), PNG),
        "apng": (animation("PNG"), PNG),
        "jpeg": (saved(rgb, "JPEG"), JPEG),
        "jpeg progressive": (saved(rgb, "JPEG", progressive=True), JPEG),
        "jpeg cmyk": (saved(noise("CMYK"), "JPEG"), JPEG),
        "gif": (saved(noise("P"), "GIF"), GIF),
        "gif animation": (animation("GIF"), GIF),
        "webp lossy": (saved(rgb, "WEBP"), WEBP),
        "webp lossless": (saved(noise("RGBA"), "WEBP", lossless=True), WEBP),
        "webp animation": (animation("WEBP"), WEBP),
    }


def chunk(kind: bytes, data: bytes = b"", *, crc: int | None = None, length: int | None = None) -> bytes:
    checksum = zlib.crc32(kind + data) if crc is None else crc
    return struct.pack(">I", len(data) if length is None else length) + kind + data + struct.pack(">I", checksum)


def header(width: int, height: int, depth: int = 8, colour: int = 2, interlace: int = 0) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace))


def png(*chunks: bytes) -> bytes:
    return SIGNATURE + b"".join(chunks) + chunk(b"IEND")


def rows(width: int, height: int) -> bytes:
    return zlib.compress(b"\0" * (height * (width * 3 + 1)), 9)


def pngs() -> Iterator[Entry]:
    bomb = zlib.compress(b"\0" * 50_000_000, 9)
    good = chunk(b"IDAT", rows(8, 8))
    small = header(8, 8)
    for side in (*HUGE, 2**31 - 1):
        for size in ((side, 8), (8, side), (side, side)):
            yield Entry(f"png claiming {size}", png(header(*size), good), PNG, "too_large")
    for size in ((0, 8), (8, 0), (0, 0)):
        yield Entry(f"png of {size}", png(header(*size), good), PNG, "unreadable")
    for depth in (0, 1, 3, 16, 32, 255):
        for colour in (0, 1, 2, 3, 4, 6, 7, 255):
            yield Entry(f"png depth {depth} colour {colour}", png(header(8, 8, depth, colour), good), PNG)
    yield Entry("png of much for little", png(small, chunk(b"IDAT", bomb)), PNG)
    yield Entry("png of little for much", png(header(8000, 8000), good), PNG, wearing=True)
    yield Entry("png interlaced, little for much", png(header(8000, 8000, interlace=1), good), PNG, wearing=True)
    yield Entry("png wrong check sum of the header", SIGNATURE + small[:-4] + b"0000" + good + chunk(b"IEND"), PNG)
    yield Entry("png wrong check sum of the data", png(small, chunk(b"IDAT", rows(8, 8), crc=1)), PNG)
    yield Entry("png without data", png(small), PNG, "unreadable")
    yield Entry("png without header", png(good), PNG, "unreadable")
    yield Entry("png of two headers", png(small, header(60_000, 60_000), good), PNG)
    yield Entry("png data that is no stream", png(small, chunk(b"IDAT", b"\xff" * 500)), PNG, "unreadable")
    yield Entry("png palette without one", png(header(8, 8, 8, 3), good), PNG)
    yield Entry("png many empty data chunks", png(small, chunk(b"IDAT") * 100_000, good), PNG, wearing=True)
    yield Entry("png many unknown chunks", png(small, chunk(b"abCd") * 100_000, good), PNG, wearing=True)
    for length in (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF):
        yield Entry(f"png chunk of length {length:x}", png(small, chunk(b"IDAT", b"x", length=length)), PNG)
    for kind, data in (
        (b"zTXt", b"a\0\0" + bomb),
        (b"iTXt", b"a\0\1\0\0\0" + bomb),
        (b"iCCP", b"a\0\0" + bomb),
        (b"tEXt", b"a\0" + b"b" * 400_000),
        (b"eXIf", b"MM\0*" + b"\xff" * 1000),
        (b"acTL", struct.pack(">II", 2**32 - 1, 0)),
        (b"fcTL", struct.pack(">IIIIIHHBB", 0, 2**31, 2**31, 0, 0, 0, 0, 0, 0)),
        (b"PLTE", b"\0" * 7),
        (b"tRNS", b"\0" * 900),
        (b"pHYs", b""),
        (b"gAMA", b"\0"),
        (b"cHRM", b"\0" * 31),
        (b"sRGB", b""),
    ):
        for times in (1, 90) if len(data) < 100_000 else (1, 20):
            yield Entry(f"png {times} times {kind.decode()}", png(small, chunk(kind, data) * times, good), PNG)


def gif(*parts: bytes, size: tuple[int, int] = (8, 8)) -> bytes:
    return b"GIF89a" + struct.pack("<HHBBB", *size, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff" + b"".join(parts)


def frame(x: int = 0, y: int = 0, width: int = 8, height: int = 8, code: int = 2, data: bytes = b"\x84\x51") -> bytes:
    place = struct.pack("<HHHHB", x, y, width, height, 0)
    return b"," + place + bytes([code, len(data)]) + data + b"\0"


def gifs() -> Iterator[Entry]:
    for side in HUGE:
        for size in ((side, 8), (8, side), (side, side)):
            yield Entry(f"gif claiming {size}", gif(frame(), b";", size=size), GIF, "too_large")
            yield Entry(f"gif frame of {size}", gif(frame(width=size[0], height=size[1]), b";"), GIF)
    disposed = b"!\xf9\x04\x08\0\0\0\0"
    yield Entry("gif frame thrown away", gif(disposed, frame(width=65_535, height=65_535), b";"), GIF)
    yield Entry("gif frame far outside", gif(frame(x=60_000, y=60_000), b";"), GIF)
    for size in ((0, 0), (0, 8), (8, 0)):
        yield Entry(f"gif of {size}", gif(frame(), b";", size=size), GIF)
        yield Entry(f"gif frame of {size}", gif(frame(width=size[0], height=size[1]), b";"), GIF)
    for code in (0, 1, 9, 11, 12, 13, 64, 255):
        yield Entry(f"gif code size {code}", gif(frame(code=code), b";"), GIF)
        yield Entry(f"gif code size {code} and noise", gif(frame(code=code, data=bytes(range(255))), b";"), GIF)
    yield Entry("gif with no frame", gif(b";"), GIF, "unreadable")
    yield Entry("gif with no end", gif(frame()), GIF)
    yield Entry("gif that never ends", gif(b"!\xff\x0bNETSCAPE2.0\3\1\0\0\0", frame() * 200_000), GIF)
    yield Entry(
        "gif of comments", gif(b"!\xfe" + (b"\xff" + b"c" * 255) * 25_000 + b"\0", frame(), b";"), GIF, wearing=True
    )
    yield Entry("gif of many comments", gif(b"!\xfe\1c\0" * 400_000, frame(), b";"), GIF, wearing=True)
    yield Entry("gif of unknown blocks", gif(b"!\x07\1c\0" * 400_000, frame(), b";"), GIF, wearing=True)
    yield Entry("gif of nothing but zeros", gif(b"\0" * 3_000_000), GIF, wearing=True)


def segment(marker: int, data: bytes, length: int | None = None) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, (len(data) + 2 if length is None else length) & 0xFFFF) + data


def resized(data: bytes, width: int, height: int) -> bytes:
    """The JPEG with another size in its header."""
    at = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))
    return data[: at + 5] + struct.pack(">HH", height, width) + data[at + 9 :]


def loop_of_directories(count: int) -> bytes:
    """EXIF whose directory leads back to itself, with a value that claims `count` items."""
    entry = struct.pack("<HHII", 0x0112, 3, count, 6) + struct.pack("<HHII", 0x8769, 4, 1, 8)
    return b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2) + entry + struct.pack("<I", 8)


def jpegs() -> Iterator[Entry]:
    plain = saved(noise("RGB"), "JPEG")
    progressive = saved(noise("RGB"), "JPEG", progressive=True)
    start, rest = plain[:2], plain[2:]
    for name, data in (("jpeg", plain), ("progressive jpeg", progressive)):
        for side in HUGE:
            for size in ((side, 8), (8, side), (side, side)):
                yield Entry(f"{name} claiming {size}", resized(data, *size), JPEG, "too_large")
        for size in ((0, 0), (0, 8), (8, 0)):
            yield Entry(f"{name} of {size}", resized(data, *size), JPEG)
        yield Entry(f"{name} of little for much", resized(data, 8000, 8000), JPEG, wearing=True)
    scans = progressive.index(b"\xff\xda")
    large = saved(noise("L", 1500, 1500), "JPEG", progressive=True)
    first = large.index(b"\xff\xda")
    again = large.index(b"\xff\xda", first + 2)
    yield Entry("jpeg of many scans", large[:first] + large[first:again] * 60 + large[again:], JPEG, wearing=True)
    yield Entry("jpeg of scans for ever", progressive[:-2] + progressive[scans:-2] * 300, JPEG, wearing=True)
    for count in (0, 1, 5, 0x7FFFFFFF, 0xFFFFFFFF):
        yield Entry(f"jpeg exif loop {count:x}", start + segment(0xE1, loop_of_directories(count)) + rest, JPEG)
    for marker in (0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xFE, 0xDB, 0xC4, 0xC0, 0xDD, 0xDA, 0xDC):
        for length in (0, 1, 2, 3, 0xFFFF):
            lying = start + segment(marker, b"\xff" * 40, length) + rest
            yield Entry(f"jpeg segment {marker:x} of length {length}", lying, JPEG)
    profile = b"ICC_PROFILE\0\x01\xff" + b"\0" * 65_000
    yield Entry("jpeg with pieces of a profile", start + segment(0xE2, profile) * 100 + rest, JPEG)
    yield Entry("jpeg of comments", start + segment(0xFE, b"c" * 65_000) * 100 + rest, JPEG)
    yield Entry("jpeg of tiny comments", start + segment(0xFE, b"") * 300_000 + rest, JPEG, wearing=True)
    yield Entry("jpeg of padding", start + b"\xff" * 5_000_000 + rest, JPEG, wearing=True)
    yield Entry("jpeg without tables", start + plain[plain.index(b"\xff\xc0") :], JPEG)
    yield Entry("jpeg that is its start", b"\xff\xd8\xff", JPEG, "unreadable")


def riff(*chunks: bytes, size: int | None = None) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body) if size is None else size) + body


def part(kind: bytes, data: bytes, length: int | None = None) -> bytes:
    return kind + struct.pack("<I", len(data) if length is None else length) + data + b"\0" * (len(data) % 2)


def canvas(width: int, height: int, flags: int = 0) -> bytes:
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return part(b"VP8X", bytes([flags, 0, 0, 0]) + sides)


def webps() -> Iterator[Entry]:
    lossless = saved(noise("RGB"), "WEBP", lossless=True)[12:]
    for side in (8_001, 20_000, 2**24):
        for size in ((side, 8), (8, side), (side, side)):
            yield Entry(f"webp claiming {size}", riff(canvas(*size), lossless), WEBP, "too_large")
            moving = riff(canvas(*size, flags=2), part(b"ANIM", b"\0" * 6), lossless)
            yield Entry(f"webp animation claiming {size}", moving, WEBP, "too_large")
    for side in (8_001, 16_384):
        bits = struct.pack("<BI", 0x2F, side - 1 | (side - 1) << 14)
        yield Entry(f"webp lossless claiming {side}", riff(part(b"VP8L", bits + b"\0" * 40)), WEBP, "too_large")
        lossy = b"\x30\x01\0\x9d\x01\x2a" + struct.pack("<HH", side & 0x3FFF, 8_100) + b"\0" * 40
        yield Entry(f"webp lossy claiming {side}", riff(part(b"VP8 ", lossy)), WEBP, "too_large")
    for size in (0, 1, 4, 0x7FFFFFFF, 0xFFFFFFFF):
        yield Entry(f"webp of size {size:x}", riff(lossless, size=size), WEBP)
        yield Entry(f"webp chunk of length {size:x}", riff(part(b"VP8L", lossless[8:], size)), WEBP)
    yield Entry("webp animation without frames", riff(canvas(8, 8, 2), part(b"ANIM", b"\0" * 6)), WEBP)
    outside = part(b"ANMF", b"\xff" * 16 + lossless)
    yield Entry("webp frame outside", riff(canvas(64, 48, 2), part(b"ANIM", b"\0" * 6), outside), WEBP)
    inside = part(b"ANMF", b"\0" * 6 + bytes([63, 0, 0, 47, 0, 0]) + b"\0" * 4 + lossless)
    forever = riff(canvas(64, 48, 2), part(b"ANIM", b"\0" * 6), inside * 500)
    yield Entry("webp that never ends", forever, WEBP)
    for kind, flag in ((b"ICCP", 32), (b"EXIF", 8), (b"XMP ", 4), (b"ALPH", 16)):
        many = part(kind, b"\xff" * 5000) * 200
        yield Entry(f"webp much {kind.decode()}", riff(canvas(64, 48, flag), many, lossless), WEBP)
    yield Entry("webp that is its start", b"RIFF\0\0\0\0WEBP", WEBP, "unreadable")


def posers() -> Iterator[Entry]:
    """Other things under an image's name; the formats have readers in Pillow that must not be asked."""
    picture = noise("RGB")
    others = {
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        "html": b"<!doctype html><img src=x onerror=alert(1)>",
        "bmp": saved(picture, "BMP"),
        "tiff": saved(picture, "TIFF"),
        "ico": saved(picture, "ICO"),
        "ppm": saved(picture, "PPM"),
        "tga": saved(picture, "TGA"),
        "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n(/etc/passwd) run\n",
        "pdf": b"%PDF-1.7\n",
        "zip": b"PK\x03\x04" + b"\0" * 100,
        "jpeg 2000": b"\0\0\0\x0cjP  \r\n\x87\n" + b"\0" * 100,
        "avif": b"\0\0\0\x20ftypavif" + b"\0" * 100,
        "nothing but zeros": b"\0" * 1000,
        "text": b"data:image/png;base64,iVBORw0KGgo=",
    }
    for name, data in others.items():
        for declared in TYPES:
            yield Entry(f"{name} posing as {declared}", data, declared, "unreadable")


def liars() -> Iterator[Entry]:
    files = sound()
    for name in ("png rgb", "jpeg", "gif", "webp lossy"):
        data, actual = files[name]
        for declared in TYPES:
            if declared != actual:
                yield Entry(f"{name} declared {declared}", data, declared, "wrong_type")
        for tail in (b"PK\x03\x04" + b"z" * 1000, b"%PDF-1.7\n", b"<script>alert(1)</script>", b"\0" * 1_000_000):
            yield Entry(f"{name} and {tail[:4]!r} behind it", data + tail, actual)


def corpus() -> list[Entry]:
    """All of them."""
    entries = [entry for name, (data, kind) in sound().items() for entry in damaged(name, data, kind, 12, 14)]
    for family in (pngs, gifs, jpegs, webps, posers, liars):
        entries.extend(family())
    return entries
