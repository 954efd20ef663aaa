"""From an image file to what can be said of it to a model that does not see. Runs in the worker."""

from typing import Final

from PIL import Image

from antiphon.media.frames import Description, DescriptionJob, Row
from antiphon.media.looks import colours, kind
from antiphon.media.ocr.lines import read_lines
from antiphon.media.pictures import READ_AT, upright

_MOST_ROWS: Final = 400
_MOST_CHARACTERS: Final = 20_000


def read(data: bytes, job: DescriptionJob) -> Description:
    """What the picture looks like and says; raises `Refusal`, for the same files as where it is shown."""
    picture, (width, height) = upright(data, job, READ_AT)
    found = read_lines(picture)
    # Places are told in the picture as it is read, upright, at the size at which a model would see it.
    across, down = (height, width) if found.turned % 180 else (width, height)
    rows: list[Row] = []
    left = _MOST_CHARACTERS
    for row in found.rows[:_MOST_ROWS]:
        if len(row.text) > left:
            break
        left -= len(row.text)
        rows.append(Row(row.text, round(row.left * across), round(row.top * down)))
    return Description(
        width,
        height,
        kind(picture, len(found.rows), found.share),
        colours(picture),
        tuple(rows),
        found.turned,
        len(rows) == len(found.rows),
    )


def text_in(picture: Image.Image) -> str:
    """The lines of a page that is a picture."""
    return "\n".join(row.text for row in read_lines(picture).rows)
