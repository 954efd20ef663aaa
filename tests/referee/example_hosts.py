"""Stand-ins for the hosts that the documents' examples need besides the server: a picture's, and an encyclopedia's."""

import io
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from tests.referee.outside import Outside, outside
from tests.referee.routed_server import HOST
from tests.referee.small_web import small_wiki

ANT: Final = "/wikipedia/commons/a/a7/Camponotus_flavomarginatus_ant.jpg"


@dataclass(frozen=True, slots=True)
class StandIns:
    """The host of the picture, and what a server is told so that its searches find the small wiki."""

    outside: Outside
    settings: str


@contextmanager
def stand_ins() -> Generator[StandIns]:
    """Both, as long as the context is open."""
    with outside(HOST) as there, small_wiki() as wiki:
        there.host.serve(ANT, picture(), "image/jpeg")
        yield StandIns(there, f'\n[server_tools.web_search]\nprovider = "wikipedia"\nurl = "{wiki.url}"\n')


def picture() -> bytes:
    """A drawing that says what it stands for."""
    drawn = Image.new("RGB", (640, 427), "#f3e6c8")
    draw = ImageDraw.Draw(drawn)
    for at, line in enumerate(("Camponotus flavomarginatus", "(a stand-in for the photograph)")):
        draw.text((320, 150 + 80 * at), line, fill="#3b2a1a", font=ImageFont.load_default(36), anchor="mm")
    buffer = io.BytesIO()
    drawn.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
