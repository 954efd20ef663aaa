"""What becomes of a picture that is sound: upright, on white, scaled, without metadata."""

import io
from collections.abc import Callable

import pytest
from PIL import Image, PngImagePlugin

from antiphon.media.frames import ImageJob, Picture, Refusal, Refused
from antiphon.media.pictures import read
from tests.media.broken_images import SIGNATURE, animation, chunk, header, noise, saved, sound

SOUND = sound()
RED, WHITE, BLUE = (255, 0, 0), (255, 255, 255), (0, 0, 255)


def job(declared: str | None = None, *, side: int = 8000, downsize: bool = True) -> ImageJob:
    return ImageJob(declared, side, 1568, 1568, downsize, 10)


def opened(picture: Picture) -> Image.Image:
    image = Image.open(io.BytesIO(picture.data))
    image.load()
    assert image.mode in ("L", "RGB")
    assert image.size == (picture.width, picture.height)
    return image.convert("RGB")


def colour(image: Image.Image, x: int = 0, y: int = 0) -> tuple[int, ...]:
    found = image.getpixel((x, y))
    assert isinstance(found, tuple)
    return found


def refused(data: bytes, asked: ImageJob) -> Refused:
    with pytest.raises(Refusal) as caught:
        read(data, asked)
    return caught.value.answer


@pytest.mark.promise("media.image-kinds")
@pytest.mark.parametrize("name", SOUND)
def test_every_kind_is_read(name: str):
    data, declared = SOUND[name]
    assert opened(read(data, job(declared))).size == (64, 48)
    assert read(data, job(None)) == read(data, job(declared))


@pytest.mark.promise("media.image-kinds")
@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP"])
def test_of_an_animation_the_first_frame_is_shown(form: str):
    frames = [Image.new("RGB", (20, 10), shade) for shade in (RED, BLUE)]
    data = saved(
        frames[0], form, save_all=True, append_images=frames[1:], **({"lossless": True} if form == "WEBP" else {})
    )
    assert colour(opened(read(data, job()))) == RED


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_what_is_transparent_becomes_white(form: str):
    image = Image.new("RGBA", (20, 10), (*RED, 0))
    image.paste((*RED, 255), (10, 0, 20, 10))
    data = saved(image, form, **({"lossless": True} if form == "WEBP" else {}))
    shown = opened(read(data, job()))
    assert (colour(shown, 0), colour(shown, 19)) == (WHITE, RED)


def test_half_transparent_is_half_white():
    shown = opened(read(saved(Image.new("RGBA", (4, 4), (0, 0, 0, 128)), "PNG"), job()))
    assert colour(shown) == (127, 127, 127)


def test_a_transparent_entry_of_a_palette_becomes_white():
    image = Image.new("P", (8, 8), 1)
    image.putpalette([*BLUE, *RED])
    image.paste(0, (0, 0, 4, 8))
    shown = opened(read(saved(image, "GIF", transparency=0), job()))
    assert (colour(shown, 0), colour(shown, 7)) == (WHITE, RED)


@pytest.mark.parametrize("byte", [0, 1, 127, 200, 255])
def test_sixteen_bits_a_colour_keep_their_brightness(byte: int):
    image = Image.frombytes("I;16", (4, 4), bytes([17, byte]) * 16)
    assert colour(opened(read(saved(image, "PNG"), job()))) == (byte, byte, byte)


def test_colours_for_print_are_read():
    data = saved(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=100)
    red, green, blue = colour(opened(read(data, job())))
    assert red > 200 > 60 > max(green, blue)


# What the camera did → what must be done, as Pillow's own transposition of the picture as it should be seen.
TURNED: dict[int, Callable[[Image.Image], Image.Image]] = {
    1: lambda image: image,
    2: lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    3: lambda image: image.transpose(Image.Transpose.ROTATE_180),
    4: lambda image: image.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
    5: lambda image: image.transpose(Image.Transpose.TRANSPOSE),
    6: lambda image: image.transpose(Image.Transpose.ROTATE_90),
    7: lambda image: image.transpose(Image.Transpose.TRANSVERSE),
    8: lambda image: image.transpose(Image.Transpose.ROTATE_270),
}


@pytest.mark.promise("media.image-kinds")
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", TURNED)
def test_a_picture_is_shown_upright(orientation: int, form: str):
    upright = Image.new("RGB", (32, 16), WHITE)
    upright.paste(RED, (0, 0, 8, 8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    shown = opened(read(saved(TURNED[orientation](upright), form, exif=exif), job()))
    assert shown.size == (32, 16)
    red, green, _ = colour(shown, 2, 2)
    assert red > 200
    assert green < 60
    assert all(min(colour(shown, x, y)) > 200 for x, y in ((29, 2), (2, 13), (29, 13)))


@pytest.mark.parametrize(("form", "declared"), [("JPEG", "image/jpeg"), ("PNG", "image/png")])
def test_a_large_picture_is_scaled_down(form: str, declared: str):
    picture = read(saved(noise("RGB", 1920, 1080), form), job(declared))
    assert opened(picture).size == (1456, 819)


@pytest.mark.promise("media.image-size")
def test_a_picture_that_must_not_be_scaled_is_refused_with_both_sizes():
    data = saved(Image.new("L", (1920, 1080)), "PNG")
    assert refused(data, job(downsize=False)) == Refused("oversized", (1920, 1080, 1456, 819))
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = saved(Image.new("L", (1920, 1080)), "JPEG", exif=exif)
    assert refused(lying, job(downsize=False)) == Refused("oversized", (1080, 1920, 819, 1456))
    assert read(saved(Image.new("L", (1456, 819)), "PNG"), job(downsize=False)).width == 1456


@pytest.mark.promise("media.image-size")
@pytest.mark.parametrize(("side", "size"), [(8000, (8001, 1)), (8000, (1, 8001)), (2000, (2001, 2001))])
def test_a_side_that_is_too_long_is_refused(side: int, size: tuple[int, int]):
    data = saved(Image.new("L", size), "PNG")
    assert refused(data, job(side=side)) == Refused("too_large", (*size, side))
    assert read(saved(Image.new("L", (side, 1)), "PNG"), job(side=side)).height == 1


def test_the_size_is_judged_before_anything_is_decoded():
    nothing = SIGNATURE + header(8001, 8001) + chunk(b"IDAT", b"no picture at all")
    assert refused(nothing, job()).kind == "too_large"


@pytest.mark.parametrize("name", ["png rgb", "jpeg", "gif", "webp lossy"])
def test_a_wrong_media_type_is_told_with_the_right_one(name: str):
    data, actual = SOUND[name]
    declared = "image/png" if actual != "image/png" else "image/jpeg"
    assert refused(data, job(declared)) == Refused("wrong_type", (declared, actual))


def test_nothing_of_the_originals_metadata_goes_on():
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "taken at home")
    for image in (noise("RGB", 200, 200), Image.new("RGB", (20, 20))):
        for data in (
            saved(image, "JPEG", exif=exif, comment=b"taken at home", icc_profile=b"taken at home"),
            saved(image, "PNG", exif=exif, pnginfo=text, icc_profile=b"taken at home"),
            saved(image, "WEBP", exif=exif, icc_profile=b"taken at home", xmp=b"taken at home"),
        ):
            assert b"taken at home" in data
            picture = read(data, job())
            assert b"taken at home" not in picture.data
            assert set(opened(picture).info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_few_colours_are_kept_exactly_and_many_in_little_room():
    drawing = Image.new("RGB", (300, 300), WHITE)
    drawing.paste(RED, (50, 50, 90, 200))
    exact = read(saved(drawing, "PNG"), job())
    assert opened(exact).tobytes() == drawing.tobytes()
    photo = read(saved(noise("RGB", 300, 300), "PNG"), job())
    assert photo.data.startswith(b"\xff\xd8")
    assert exact.data.startswith(SIGNATURE)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_broken_metadata_does_not_spoil_a_picture():
    data = saved(noise("RGB"), "JPEG")
    exif = b"Exif\0\0II*\0" + b"\xff" * 200
    broken = data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:]
    assert opened(read(broken, job())).size == (64, 48)


def test_data_that_cannot_be_decoded_is_not_shown_as_an_empty_picture():
    data = SIGNATURE + header(8, 8) + chunk(b"IDAT", b"\xff" * 500) + chunk(b"IEND")
    assert refused(data, job()).kind == "unreadable"


def test_an_animation_cut_off_behind_its_first_frame_is_read():
    data = animation("GIF")
    assert read(data[: len(data) * 2 // 3], job("image/gif")).width == 64
    assert refused(data[: len(data) // 5], job("image/gif")).kind == "unreadable"
