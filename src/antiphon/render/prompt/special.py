"""A model's special tokens, found in what clients write, however many a model has."""

import re
from collections.abc import Iterable
from typing import Final

_DEEPEST: Final = 48
"""How far apart tokens are told by what they begin with; a hostile vocabulary must not nest without an end."""


def special_pattern(tokens: Iterable[str]) -> re.Pattern[str] | None:
    """Finds the longest token at the first place that has one; None where there are no tokens.

    A plain list of thousands of tokens is tried one by one wherever a text has their first character, which takes
    seconds for one page of markup. This pattern looks at each character once.
    """
    told = sorted({token for token in tokens if token.strip()})
    return re.compile(_any_of(told, _DEEPEST)) if told else None


def _any_of(tokens: list[str], depth: int) -> str:
    """Sorted texts as a pattern that takes the longest; of texts with the same beginning it is written once."""
    if len(tokens) == 1:
        return re.escape(tokens[0])
    if depth == 0:
        return f"(?:{'|'.join(map(re.escape, sorted(tokens, key=len, reverse=True)))})"
    shared = _shared(tokens[0], tokens[-1])
    if not shared:
        groups: dict[str, list[str]] = {}
        for token in tokens:
            groups.setdefault(token[0], []).append(token)
        return f"(?:{'|'.join(_any_of(group, depth - 1) for group in groups.values())})"
    rest = [token[len(shared) :] for token in tokens]
    # What is a token already may go on to be a longer one.
    return (
        f"{re.escape(shared)}(?:{_any_of(rest[1:], depth - 1)})?"
        if not rest[0]
        else re.escape(shared) + _any_of(rest, depth - 1)
    )


def _shared(first: str, last: str) -> str:
    length = next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    return first[:length]
