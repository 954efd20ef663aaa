"""What the API takes of images and PDFs, and its words where it does not take one.

Source: Vision; PDF support; recorded errors.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from antiphon.dialogue.media import HIGH, STANDARD, Tier
from antiphon.ports.media import ImageLimit, MediaKind, MediaProblem, PdfLimit
from antiphon.profiles import Profile
from antiphon.request.case import Issue

SourceType = Literal["base64", "url", "file"]

Medium = Literal["image", "pdf"]

MOST_BYTES: Final = 10 * 1024 * 1024
"""Of an image: of its base64, or of the file at its URL."""

MOST_BYTES_OF_A_PDF: Final = 32 * 1024 * 1024

MOST_BYTES_SHOWN: Final = 64 * 1024 * 1024
"""Of all pictures of a request as the model gets them, those of PDF pages included: what an engine takes."""

LONGEST_SIDE: Final = 8000

LONGEST_SIDE_OF_MANY: Final = 2000

FEW_IMAGES: Final = 20

_MEGABYTE: Final = 1024 * 1024

_LARGE_WINDOW: Final = 1_000_000

_MOST_PAGES: Final = 600

_MOST_PAGES_IN_A_SMALL_WINDOW: Final = 100


def image_limit(profile: Profile, images: int, *, downsize: bool = True) -> ImageLimit:
    """What a picture may be in a request that holds so many `images`, earlier turns' and tool results' included."""
    side = LONGEST_SIDE if images <= FEW_IMAGES else LONGEST_SIDE_OF_MANY
    return ImageLimit(side, MOST_BYTES, _tier(profile), downsize)


def pdf_limit(profile: Profile, *, pictures: bool) -> PdfLimit:
    """What a PDF may be. `pictures`: the model that serves the request can see."""
    small = profile.window < _LARGE_WINDOW
    return PdfLimit(_MOST_PAGES_IN_A_SMALL_WINDOW if small else _MOST_PAGES, pictures, _tier(profile))


def _tier(profile: Profile) -> Tier:
    return HIGH if profile.image_tier == "high" else STANDARD


def media_issue(problem: MediaProblem, path: str, source: SourceType = "base64") -> Issue:
    """The 400 for a file. `path`: its block's (`messages.0.content.4`); `source`: where the block has it from."""
    at = f"{path}.{problem.medium}.source.{source}"
    data = f"{at}.data" if source == "base64" else at
    match problem.kind, problem.parts:
        case "wrong_type", (declared, actual):
            return Issue(
                f"{at}: The image was specified using the {declared} media type, but the image appears to be a "
                f"{actual} image"
            )
        case "too_heavy", (int(size), int(most)):
            return Issue(f"{data}: image exceeds {most // _MEGABYTE} MB maximum: {size} bytes > {most} bytes")
        case "too_large", (_, _, int(most)):
            many = "" if most >= LONGEST_SIDE else " for many-image requests"
            return Issue(f"{data}: At least one of the image dimensions exceed max allowed size{many}: {most} pixels")
        case "oversized", (width, height, fitting_width, fitting_height):
            fitting = f"{fitting_width}x{fitting_height}"
            return Issue(
                f"{path}: image dimensions {width}x{height} exceed the maximum image size of a model named on this "
                f"request and would be downsized to {fitting}; scale the image to at most {fitting} or set the "
                'image\'s oversized_image setting to "downsize"'
            )
        case "too_many_pages", (_, most):
            return Issue(f"{data}: A maximum of {most} PDF pages may be provided.")
        case kind, _ if kind in _OF_THE_DATA:
            return Issue(f"{data}: {_OF_THE_DATA[kind]}")
        case "empty", _:
            return Issue("PDF cannot be empty" if problem.medium == "pdf" else f"{at}: image cannot be empty")
        case _:
            return Issue("Could not process PDF" if problem.medium == "pdf" else "Could not process image")


def not_base64(path: str, medium: Medium) -> Issue:
    """The 400 for data that is no base64."""
    return Issue(f"{path}.{medium}.source.base64: invalid base64 data")


def too_much_to_show() -> str:
    """The message of the 413 for pictures that are larger together than an engine takes."""
    return (
        "Request exceeds the maximum size: its images, PDF pages and text files are more than "
        f"{MOST_BYTES_SHOWN // _MEGABYTE} MB together as the model is shown them. Send fewer or smaller ones."
    )


def too_large_a_file(path: str, medium: Medium) -> Issue:
    """The 400 for a file at a URL that was not read to its end."""
    name, most = ("image", MOST_BYTES) if medium == "image" else ("PDF", MOST_BYTES_OF_A_PDF)
    return Issue(f"{path}.{medium}.source.url: {name} exceeds {most // _MEGABYTE} MB maximum")


def large_upload(path: str, medium: Medium, size: int) -> Issue:
    """The 400 for an uploaded file that is too large to be read."""
    most = most_of_an_upload(medium)
    block, name = ("image", "image") if medium == "image" else ("document", "file")
    return Issue(
        f"{path}.{block}.source.file: {name} exceeds {most // _MEGABYTE} MB maximum: {size} bytes > {most} bytes"
    )


def most_of_an_upload(medium: Medium) -> int:
    """Bytes of an uploaded file that is read for a request."""
    return MOST_BYTES if medium == "image" else MOST_BYTES_OF_A_PDF


def dimensions_details(problems: Sequence[tuple[str, MediaProblem]]) -> Mapping[str, Any]:
    """The `details` of the 400 for images that are too large, all of one kind, with the paths of their blocks.

    An image no side of which is longer than `max_side_length_pixels` is none of them, whatever its shape.
    """
    return {
        "error_code": "image_dimensions_too_large",
        "max_side_length_pixels": min(_fitting_side(problem) for _, problem in problems),
        "paths": [_position(path) for path, _ in problems],
    }


def _fitting_side(problem: MediaProblem) -> int:
    match problem.parts:
        case (_, _, int(most)):
            return most
        case (_, _, int(width), int(height)):
            return max(width, height)
        case _:
            raise AssertionError(f"{problem} is not about dimensions")


def _position(path: str) -> str:
    """A path as `details` has it: keys and positions alone, no types of blocks."""
    return path.replace(".tool_result.", ".").replace(".document.source.content.", ".source.")


_OF_THE_DATA: Final[Mapping[MediaKind, str]] = {
    "broken": "The PDF specified was not valid.",
    "locked": "The PDF specified is password protected.",
}
