"""Texts of others, made harmless: no markup, no control characters, no more than so many characters."""

import html
import re
from typing import Any, Final

_TAG: Final = re.compile(r"</?[a-zA-Z][^<>]{0,200}>")
_CUT: Final = " …"


def plain(value: Any, most: int) -> str:
    """A text of a provider in one line: its tags gone, its entities read, its spaces single; empty for no text."""
    if not isinstance(value, str):
        return ""
    # Nothing of a text that is much too long needs to be looked at.
    text = html.unescape(_TAG.sub("", value[: most * 8]))
    return shortened(" ".join(harmless(text).split()), most)


def harmless(text: str) -> str:
    """The text without control characters, save for tabs and line ends, and without halves of surrogate pairs."""
    return "".join(
        char if char >= " " or char in "\n\t" else " " for char in text if not "\ud800" <= char <= "\udfff"
    )


def shortened(text: str, most: int) -> str:
    """At most so many characters; cut between words where there are some."""
    if len(text) <= most:
        return text
    cut = text[: most - len(_CUT)]
    return (cut.rpartition(" ")[0] or cut) + _CUT
