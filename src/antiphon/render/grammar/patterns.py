"""Strings that a schema bounds, as parts of a terminal. Patterns are searched for; a terminal matches whole texts."""

import re
from collections.abc import Mapping
from typing import Any, Final

from antiphon.render.grammar import lark

_PIECE: Final = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|.", re.DOTALL)


def strings(way: Mapping[str, Any]) -> str:
    """All strings of one way that is a form: those of its lengths in which all of its patterns are found."""
    least, most = way.get("minLength", 0), way.get("maxLength", "")
    body = f"/(?s:.){{{least},{most}}}/" if least or most != "" else lark.ANY_TEXT
    patterns = [one.get("pattern") for one in (way, *(way.get("allOf") or ()))]
    return " & ".join((body, *(f"/{whole_pattern(pattern)}/" for pattern in patterns if isinstance(pattern, str))))


def whole_pattern(pattern: str) -> str:
    """The pattern of all texts in which this one is found; its anchors are at the edges of its alternatives alone, as
    every form has them.

    A slash is escaped, so that the pattern can stand between two.
    """
    branches: list[list[str]] = [[]]
    depth = 0
    for piece in _PIECE.findall(pattern):
        depth += (piece == "(") - (piece == ")")
        if piece == "|" and depth == 0:
            branches.append([])
        else:
            branches[-1].append("\\/" if piece == "/" else piece)
    told: list[str] = []
    for pieces in branches:
        starts = pieces[:1] == ["^"]
        ends = pieces[-1:] == ["$"] and len(pieces) > starts
        inner = "".join(pieces[starts : len(pieces) - ends])
        told.append(f"{'' if starts else '(?s:.*)'}(?:{inner}){'' if ends else '(?s:.*)'}")
    return f"(?:{'|'.join(told)})"
