"""The words for files that cannot be taken are the API's, with the path of the block."""

import pytest

from antiphon.dialogue.media import HIGH, STANDARD
from antiphon.ports.media import ImageLimit, MediaProblem, PdfLimit
from antiphon.request.media.wording import SourceType, image_limit, media_issue, pdf_limit
from tests.profiles.builtin import profile

PLACE = "messages.7.content.3"
MB = 1024 * 1024

RECORDED = [
    (
        MediaProblem("image", "too_heavy", 6096280, 5 * MB),
        "messages.7.content.3.image.source.base64.data: image exceeds 5 MB maximum: 6096280 bytes > 5242880 bytes",
    ),
    (
        MediaProblem("image", "too_heavy", 12_000_000, 10 * MB),
        "messages.7.content.3.image.source.base64.data: image exceeds 10 MB maximum: 12000000 bytes > 10485760 bytes",
    ),
    (
        MediaProblem("image", "too_large", 9000, 20, 8000),
        "messages.7.content.3.image.source.base64.data: At least one of the image dimensions exceed max allowed size: "
        "8000 pixels",
    ),
    (
        MediaProblem("image", "too_large", 9000, 20, 2000),
        "messages.7.content.3.image.source.base64.data: At least one of the image dimensions exceed max allowed size "
        "for many-image requests: 2000 pixels",
    ),
    (
        MediaProblem("image", "wrong_type", "image/png", "image/jpeg"),
        "messages.7.content.3.image.source.base64: The image was specified using the image/png media type, but the "
        "image appears to be a image/jpeg image",
    ),
    (
        MediaProblem("image", "oversized", 1920, 1080, 1456, 819),
        "messages.7.content.3: image dimensions 1920x1080 exceed the maximum image size of a model named on this "
        "request and would be downsized to 1456x819; scale the image to at most 1456x819 or set the image's "
        'oversized_image setting to "downsize"',
    ),
    (MediaProblem("image", "unreadable"), "Could not process image"),
    (MediaProblem("image", "empty"), "messages.7.content.3.image.source.base64: image cannot be empty"),
    (MediaProblem("image", "timeout"), "Could not process image"),
    (MediaProblem("image", "crashed"), "Could not process image"),
    (
        MediaProblem("pdf", "too_many_pages", 150, 100),
        "messages.7.content.3.pdf.source.base64.data: A maximum of 100 PDF pages may be provided.",
    ),
    (
        MediaProblem("pdf", "broken"),
        "messages.7.content.3.pdf.source.base64.data: The PDF specified was not valid.",
    ),
    (
        MediaProblem("pdf", "locked"),
        "messages.7.content.3.pdf.source.base64.data: The PDF specified is password protected.",
    ),
    (MediaProblem("pdf", "empty"), "PDF cannot be empty"),
    (MediaProblem("pdf", "unreadable"), "Could not process PDF"),
    (MediaProblem("pdf", "timeout"), "Could not process PDF"),
    (MediaProblem("pdf", "crashed"), "Could not process PDF"),
]


@pytest.mark.promise("media.refusal-words")
@pytest.mark.parametrize(("problem", "message"), RECORDED, ids=[str(problem) for problem, _ in RECORDED])
def test_a_problem_is_told_in_the_recorded_words(problem: MediaProblem, message: str):
    assert media_issue(problem, PLACE).message == message


@pytest.mark.parametrize("source", ["url", "file"])
def test_the_path_names_the_source_that_the_block_has(source: SourceType):
    problem = MediaProblem("image", "too_large", 9000, 20, 8000)
    assert media_issue(problem, PLACE, source).message.startswith(f"{PLACE}.image.source.{source}: At least one")
    assert media_issue(MediaProblem("pdf", "broken"), PLACE, source).message.startswith(
        f"{PLACE}.pdf.source.{source}: "
    )


@pytest.mark.promise("media.image-size")
def test_many_images_must_be_smaller():
    old, new = profile("claude-sonnet-4-5"), profile("claude-opus-4-8")
    assert image_limit(old, 20) == ImageLimit(8000, 10 * MB, STANDARD)
    assert image_limit(old, 21) == ImageLimit(2000, 10 * MB, STANDARD)
    assert image_limit(new, 1, downsize=False) == ImageLimit(8000, 10 * MB, HIGH, downsize=False)


@pytest.mark.promise("media.pdf-refusals")
def test_a_large_window_takes_more_pages():
    assert pdf_limit(profile("claude-haiku-4-5"), pictures=False) == PdfLimit(100, pictures=False, tier=STANDARD)
    assert pdf_limit(profile("claude-opus-4-8"), pictures=True) == PdfLimit(600, pictures=True, tier=HIGH)
