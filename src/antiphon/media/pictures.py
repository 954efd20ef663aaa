"""From an image file to the picture that the model sees. Runs in the worker.

Only the reader of the format that the first bytes show is ever asked, and only for the first frame.
"""

import io
import struct
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from PIL import ExifTags, Image, ImageFile

from antiphon.dialogue.media import Tier, scaled
from antiphon.media.frames import DescriptionJob, ImageJob, Picture, Refusal

# Sizes are judged here, by the job's own limit; Pillow's would warn about what is allowed.
Image.MAX_IMAGE_PIXELS = None

READ_AT: Final = Tier(2576, 3000)
"""How large pictures are where text in them is read: small print is legible, and no picture takes for ever."""

_FORMATS: Final[Mapping[str, str]] = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
}
_UPRIGHT: Final[Mapping[int, Image.Transpose]] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ON_ITS_SIDE: Final = frozenset({5, 6, 7, 8})
_FEW_COLOURS: Final = 4096
_QUALITY: Final = 95
_SMOOTH: Final = 2.0


def read(data: bytes, job: ImageJob) -> Picture:
    """The picture, upright, on white, scaled down to the tier; raises `Refusal`."""
    return encode(upright(data, job)[0])


def upright(
    data: bytes, job: ImageJob | DescriptionJob, tier: Tier | None = None
) -> tuple[Image.Image, tuple[int, int]]:
    """The picture, upright, on white, scaled down to `tier`, and its size at the job's tier; raises `Refusal`.

    `tier` is the job's where there is none. Whatever a reader makes of a file that is not one is `unreadable`, except
    that memory has run out: that is raised.
    """
    actual = _media_type(data)
    if job.declared is not None and job.declared != actual:
        raise Refusal("wrong_type", job.declared, actual)
    _judge_side(_canvas(actual, data), job)
    try:
        return _read(data, actual, job, tier)
    except (Refusal, MemoryError):
        raise
    except Exception as problem:  # a hostile file makes these libraries raise anything at all
        raise Refusal("unreadable") from problem


def encode(image: Image.Image) -> Picture:
    """A file of an RGB picture: PNG where there are few colours (drawings, text), else JPEG of high quality."""
    # Pillow would carry profiles and comments of the original along.
    image.info.clear()
    buffer = io.BytesIO()
    colours: Any = image.getcolors(_FEW_COLOURS)
    if colours is None:
        image.save(buffer, "JPEG", quality=_QUALITY, subsampling=0)
    else:
        # Most pages are black on white, and one channel takes a third of the time of three.
        grey = all(red == green == blue for _, (red, green, blue) in colours)
        (image.convert("L") if grey else image).save(buffer, "PNG", compress_level=1)
    return Picture(buffer.getvalue(), image.width, image.height)


def _read(
    data: bytes, actual: str, job: ImageJob | DescriptionJob, tier: Tier | None
) -> tuple[Image.Image, tuple[int, int]]:
    with Image.open(io.BytesIO(data), formats=[_FORMATS[actual]]) as image:
        _judge_side(image.size, job)
        if actual != "image/jpeg":
            # Asking for metadata may decode the picture in passing, and then nobody hears that it failed.
            image.load()
        orientation = _orientation(image)
        turn = -1 if orientation in _ON_ITS_SIDE else 1
        seen = scaled(*image.size, Tier(job.edge, job.tokens))
        if seen != image.size and not job.downsize:
            raise Refusal("oversized", *image.size[::turn], *seen[::turn])
        size = seen if tier is None else scaled(*image.size, tier)
        # A JPEG can be decoded at an eighth of its size and less work. Other formats have no such thing.
        image.draft(image.mode, (size[0] * 2, size[1] * 2))
        image.load()
        picture = _on_white(_resized(_plain(image), size))
    turned = _UPRIGHT.get(orientation)
    width, height = seen[::turn]
    return (picture if turned is None else picture.transpose(turned)), (width, height)


def _media_type(data: bytes) -> str:
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    raise Refusal("unreadable")


def _canvas(actual: str, data: bytes) -> tuple[int, int]:
    """The size that the header claims, where Pillow would make room for it before it can be asked; else 0, 0."""
    with suppress(struct.error):
        if actual == "image/gif":
            return struct.unpack_from("<HH", data, 6)
        if actual == "image/webp":
            return _webp_canvas(data)
    return 0, 0


def _webp_canvas(data: bytes) -> tuple[int, int]:
    kind = data[12:16]
    if kind == b"VP8X":
        first, middle, last = struct.unpack_from("<HHH", data, 24)
        return 1 + (first | (middle & 0xFF) << 16), 1 + (middle >> 8 | last << 8)
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack_from("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF


def _judge_side(size: tuple[int, int], job: ImageJob | DescriptionJob) -> None:
    if max(size) > job.side:
        raise Refusal("too_large", *size, job.side)


def _orientation(image: ImageFile.ImageFile) -> int:
    """How the camera was held, 1 to 8. Broken metadata does not spoil a picture."""
    with suppress(Exception):
        found: Any = image.getexif().get(ExifTags.Base.Orientation, 1)
        return int(found)
    return 1


def _plain(image: Image.Image) -> Image.Image:
    """The picture with 8 bits a colour, as L, RGB or RGBA."""
    if image.mode.startswith("I;16"):
        # Converting would cut off bright values instead of scaling them: the upper of two bytes is what is wanted.
        high = 0 if image.mode == "I;16B" else 1
        return Image.frombytes("L", image.size, image.tobytes()[high::2])
    if image.has_transparency_data:
        return image if image.mode == "RGBA" else image.convert("RGBA")
    return image if image.mode in ("L", "RGB") else image.convert("RGB")


def _resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    if image.size == size:
        return image
    # Pillow's types name numpy's, which is not here.
    untyped: Any = image
    return untyped.resize(size, Image.Resampling.LANCZOS, reducing_gap=_SMOOTH)


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image.convert("RGB")
    ground = Image.new("RGB", image.size, "white")
    ground.paste(image, mask=image.getchannel("A"))
    return ground
