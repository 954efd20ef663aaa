"""Texts of others, made harmless: no markup, no control characters, no more than so many characters."""

import html
import re
from typing import Any, Final

# Those that providers mark words with. Other brackets may well be the text's own: `vector<int>`.
_TAG: Final = re.compile(r"</?(?:a|b|br|code|em|i|mark|p|span|strong|u)(?:\s[^<>]{0,200})?/?>", re.IGNORECASE)
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_HALVES: Final = re.compile(r"[\ud800-\udfff]")
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
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return _HALVES.sub("", _CONTROLS.sub(" ", lines))


def shortened(text: str, most: int) -> str:
    """At most so many characters; cut between words where there are some."""
    if len(text) <= most:
        return text
    cut = text[: most - len(_CUT)]
    return (cut.rpartition(" ")[0] or cut) + _CUT
