"""Pictures and documents in requests."""

import base64
from typing import Any, Final

from antiphon.conformance.api import Api
from antiphon.conformance.check import Row, Subject
from antiphon.conformance.subjects.messages import more
from antiphon.conformance.subjects.tools import DONE, history
from antiphon.conformance.subjects.words import picture, png, shown

SUBJECT: Final = Subject("vision", "Vision", needs="images")
check = SUBJECT.check
DOCUMENTS: Final = "Citations; API reference: Create a Message, document blocks"
ASK: Final = {"type": "text", "text": "What is this?"}
SEEN: Final = shown(picture(png()), ASK)
PAPER: Final[dict[str, Any]] = {
    "type": "document",
    "source": {"type": "text", "media_type": "text/plain", "data": "The sky is blue. Grass is green."},
}


@check("taken", "A picture in base64 is taken.")
def _(api: Api) -> None:
    api.said(SEEN)


@check("counts", "A picture is part of the input.", source="Vision: Calculate image costs")
def _(api: Api) -> None:
    more(api, shown(ASK), SEEN)


@check("larger-counts", "A larger picture is more input.", source="Vision: Calculate image costs")
def _(api: Api) -> None:
    more(api, SEEN, shown(picture(png(640, 640)), ASK))


@check("two", "Two pictures are more input than one.", source="Vision: Multiple images")
def _(api: Api) -> None:
    more(api, SEEN, shown(picture(png()), picture(png()), ASK))


@check(
    "in-result",
    "A tool's result may have a picture.",
    source="Tool use: Handling tool use and tool result content blocks",
)
def _(api: Api) -> None:
    api.said(history({**DONE, "content": [{"type": "text", "text": "Here."}, picture(png())]}))


_TEXT: Final = base64.b64encode(b"no picture at all, but some text").decode()
_WRONG: Final[tuple[Row, ...]] = (
    ("no-base64", "A picture that is no base64 is refused.", picture("&&&&")),
    ("no-picture", "A picture that is none is refused.", picture(_TEXT)),
    ("media-type", "A picture of an unknown media type is refused.", picture(png(), "image/tiff")),
    ("other-type", "A picture that says it is of another type than it is is refused.", picture(png(), "image/gif")),
    ("no-source", "A picture without a source is refused.", {"type": "image"}),
    (
        "source-kind",
        "A picture of an unknown kind of source is refused.",
        {"type": "image", "source": {"type": "telepathy"}},
    ),
)
for _name, _sentence, _block in _WRONG:
    SUBJECT.refuses(f"refused-{_name}", _sentence, shown(_block, ASK))


@check("document", "A document of plain text is taken.", source=DOCUMENTS)
def _(api: Api) -> None:
    api.said(shown(PAPER, ASK))


@check("document-counts", "A document is part of the input.", source=DOCUMENTS)
def _(api: Api) -> None:
    more(api, shown(ASK), shown(PAPER, ASK))


@check("document-titled", "A document may have a title and a context.", source=DOCUMENTS)
def _(api: Api) -> None:
    api.said(shown({**PAPER, "title": "Colours", "context": "From a book."}, ASK))
