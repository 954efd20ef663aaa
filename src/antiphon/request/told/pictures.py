"""What a model that does not see is told of a picture, and every model of a page that was scanned."""

from typing import Final

from antiphon.ports.media import Description, PdfPage

NOT_THE_PICTURE: Final = (
    "[A picture is here, which you cannot see. What follows is not it, but what a program says of it.]"
)
"""Begins every description."""

END: Final = "[End of the description of the picture.]"

SCANNED: Final = "[This page is a scan without text of its own. What follows was read off its picture by a program.]"
"""Stands before what was read off a page."""

NOTHING_READ: Final = "[This page is a picture without text of its own, and no text could be read off it.]"

UNREAD: Final = "[This page is a picture without text of its own. It was not read: only the first such pages are.]"

_NAMES: Final = {
    "photograph": "a photograph",
    "drawing": "a drawing or a chart",
    "screenshot": "a screenshot",
    "page": "a page of text",
}


def described(picture: Description) -> str:
    """The description as the model reads it; the same picture has the same one, always."""
    if picture.width == picture.height:
        shape = "square"
    else:
        shape = "landscape" if picture.width > picture.height else "portrait"
    lines = [
        NOT_THE_PICTURE,
        f"Size: {picture.width} x {picture.height} pixels ({shape}). It looks like {_NAMES[picture.looks]}.",
        "Main colours: " + ", ".join(f"{name} {share}%" for name, share in picture.colours) + ".",
    ]
    if picture.turned:
        turned = f"it is given here as it reads when turned clockwise by {picture.turned} degrees"
        lines.append(f"Its text was not upright: {turned}.")
    if picture.lines:
        lines.append("Text in it, in reading order, each line with the x,y in pixels where it begins:")
        lines += [f"({line.left},{line.top}) {line.text}" for line in picture.lines]
        if not picture.whole:
            lines.append("(There is more text in it, which is left out here.)")
    else:
        lines.append("No text was found in it.")
    return "\n".join([*lines, END])


def page_text(page: PdfPage) -> str:
    """The text of a page, and what it is, where it is no text of the file's own."""
    match page.scan:
        case None:
            return page.text
        case "unread":
            return UNREAD
        case "read":
            return f"{SCANNED}\n{page.text}" if page.text else NOTHING_READ
