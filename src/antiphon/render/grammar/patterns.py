"""Patterns that are searched for, as patterns of whole texts."""

import re
from typing import Final

_PIECE: Final = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|.", re.DOTALL)


def whole_pattern(pattern: str) -> str | None:
    """The pattern of all texts in which this one is found; None where an anchor stands in the middle of it.

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
        inner = pieces[starts : len(pieces) - ends]
        if "^" in inner or "$" in inner:
            return None
        told.append(f"{'' if starts else '(?s:.*)'}(?:{''.join(inner)}){'' if ends else '(?s:.*)'}")
    return f"(?:{'|'.join(told)})"
