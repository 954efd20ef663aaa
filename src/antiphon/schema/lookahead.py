"""Look-ahead at a pattern's beginning, told by patterns without it that a text has to satisfy all at once.

`^(?=A)(?!B)C` is `^A`, `^C` and the opposite of `^B`. The opposite is told of what people write there: single
characters one behind the other, wherever they are looked for, or nothing but white space. Where a look-ahead has no
`^` before it, texts that begin with what it sees are all that is allowed: fewer than might be.
"""

import re
from collections.abc import Sequence
from typing import Final

_ATOM: Final = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|[^\\\[\](){}*+?|^$]", re.DOTALL)
_PIECE: Final = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|.", re.DOTALL)
_ANYWHERE: Final = re.compile(r"(?:\.|\[\\s\\S\]|\[\\S\\s\]|\[\^\])\*\??")
_ONLY: Final = re.compile(r"(\\.|\[(?:\\.|[^\]\\])*\])([*+])\$", re.DOTALL)
_OPPOSITES: Final = {"s": r"\S", "S": r"\s", "d": r"\D", "D": r"\d", "w": r"\W", "W": r"\w"}
_ALL: Final = r"[\s\S]*"
_GROUP: Final = re.compile(r"\((?:\?:|(?!\?))")
_MOST: Final = 8


def apart(pattern: str) -> tuple[str, ...] | None:
    """The patterns that say together what this one says, or less; None where it looks around otherwise."""
    rest = pattern.removeprefix("^")
    told: list[str] = []
    while rest.startswith(("(?=", "(?!")):
        end = _closing(rest)
        if end is None:
            return None
        seen = rest[3:end]
        opposites = [_begins(seen)] if rest.startswith("(?=") else _none_of(seen)
        if opposites is None:
            return None
        told += opposites
        rest = rest[end + 1 :]
        if len(told) > _MOST or rest[:1] in tuple("*+?{"):
            return None
    if not told or len(_branches(rest)) > 1:
        return None
    return (*told, f"^{rest}") if rest else tuple(told)


def _closing(text: str) -> int | None:
    """Where the group ends that begins the text."""
    depth = 0
    for piece in _PIECE.finditer(text):
        depth += (piece[0] == "(") - (piece[0] == ")")
        if depth == 0:
            return piece.start()
    return None


def _branches(text: str) -> list[str]:
    """The ways at the top of a pattern."""
    found, depth = [""], 0
    for piece in _PIECE.findall(text):
        depth += (piece == "(") - (piece == ")")
        if piece == "|" and depth == 0:
            found.append("")
        else:
            found[-1] += piece
    return found


def _begins(seen: str) -> str:
    """The pattern of the texts that begin like this; without a group where there are no others, for an end's sake."""
    return f"^{seen.removeprefix('^')}" if len(_branches(seen)) == 1 else f"^(?:{seen})"


def _none_of(seen: str) -> list[str] | None:
    """Patterns of the texts that do not begin like this."""
    seen = seen.removeprefix("^")
    if (group := _GROUP.match(seen)) is not None and seen[_closing(seen) or 0 :] in (")", ")$"):
        end = "$" if seen.endswith("$") else ""
        return _none_of("|".join(f"{branch}{end}" for branch in _branches(seen[group.end() : -1 - len(end)])))
    told: list[str] = []
    for branch in _branches(seen):
        opposite = _opposite(branch.removeprefix("^"))
        if opposite is None:
            return None
        told.append(opposite)
    return told


def _opposite(seen: str) -> str | None:
    only = _ONLY.fullmatch(seen)
    if only is not None:
        other = _not(only[1])
        may_be_empty = "?" if only[2] == "+" else ""
        return None if other is None else f"^(?:{_ALL}{other}{_ALL}){may_be_empty}$"
    anywhere = _ANYWHERE.match(seen)
    if anywhere is not None:
        seen = seen[anywhere.end() :]
    to_the_end = seen.endswith("$") and not seen.endswith("\\$")
    # What may come behind does not matter to what stands before it.
    seen = seen.removesuffix("$") if to_the_end else _ANYWHERE.sub("", seen) if _ends_anyhow(seen) else seen
    atoms = _ATOM.findall(seen)
    if "".join(atoms) != seen or not atoms or len(atoms) > 40:
        return None
    others = [_not(atom) for atom in atoms]
    told = [other for other in others if other is not None]
    if len(told) < len(atoms):
        return None
    if anywhere is None:
        return f"^{_not_first(atoms, told, to_the_end=to_the_end)}$"
    return _not_last(atoms, told) if to_the_end else _nowhere(atoms, told)


def _ends_anyhow(seen: str) -> bool:
    found = list(_ANYWHERE.finditer(seen))
    return len(found) == 1 and found[0].end() == len(seen) and found[0].start() > 0


def _not(atom: str) -> str | None:
    """Every other character."""
    if atom == ".":
        return r"\n"  # the one that no engine counts
    if atom.startswith("[^"):
        return f"[{atom[2:]}" if len(atom) > 3 and atom[2] != "^" else None
    if atom.startswith("["):
        return f"[^{atom[1:]}" if len(atom) > 2 else None
    if atom.startswith("\\"):
        kind = atom[1:]
        if kind in _OPPOSITES:
            return _OPPOSITES[kind]
        # Of other letters and digits an escape says more than itself.
        return None if kind.isalnum() and kind not in "nrtfv" else f"[^{atom}]"
    return f"[^\\{atom}]" if atom in "-^]\\" else f"[^{atom}]"


def _not_first(atoms: Sequence[str], others: Sequence[str], *, to_the_end: bool) -> str:
    """What does not begin with these characters, or is not just them."""
    told = r"[\s\S]+" if to_the_end else None
    for atom, other in zip(reversed(atoms), reversed(others), strict=True):
        goes_on = "" if told is None else f"|{atom}{told}"
        told = f"(?:{other}{_ALL}{goes_on})?"
    return told or ""


def _not_last(atoms: Sequence[str], others: Sequence[str]) -> str:
    """What does not end with these characters."""
    told = ""
    for atom, other in zip(atoms, others, strict=True):
        told = f"(?:{_ALL}{other}{f'|{told}{atom}' if told else ''})?"
    return f"^{told}$"


def _nowhere(atoms: Sequence[str], others: Sequence[str]) -> str | None:
    """What does not have these characters in it: one, or two that are one and the same or certainly are not."""
    if len(atoms) == 1:
        return f"^{others[0]}*$"
    if len(atoms) != 2 or any(atom == "." or atom.startswith("[") or atom[1:] in _OPPOSITES for atom in atoms):
        return None
    first = atoms[0]
    if len({atom if atom[1:].isalnum() else atom[-1] for atom in atoms}) == 1:
        return f"^(?:{others[0]}|{first}{others[0]})*{first}?$"
    both = f"[^{others[0][2:-1]}{others[1][2:-1]}]"
    return f"^(?:{others[0]}|{first}+{both})*{first}*$"
