"""The head of a SKILL.md: YAML between two lines of `---`, which says what the skill is called and what it is for.

Only what cannot grow is read: no anchors, no tags, little depth; all scalars are text.
Source: Skills page, structure.
"""

import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from antiphon.request.skills.wording import bad_front

if TYPE_CHECKING:
    import yaml

LONGEST_NAME: Final = 64

LONGEST_DESCRIPTION: Final = 1024

MOST_HEAD: Final = 16_384
"""Characters of a head."""

MOST_DEPTH: Final = 10

_RESERVED: Final = ("anthropic", "claude")
_NAME: Final = re.compile(r"[a-z0-9-]+")
_TAG: Final = re.compile(r"<[^>]+>")
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_VERSION: Final = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_LINE: Final = re.compile(r"---[ \t]*(?:\r?\n|\Z)")


@dataclass(frozen=True, slots=True)
class Front:
    """What the head says. `version`: of its `metadata`, if it is one; uploads get theirs from the server."""

    name: str
    description: str
    version: str | None = None


def front_of(data: bytes, *, reserved: bool = True) -> Front:
    """What a SKILL.md says of itself; raises `InvalidRequest`. `reserved`: some names are the vendor's own."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise bad_front("the file is not valid UTF-8.") from None
    said = _mapping(_head(text))
    front = Front(_name(said), _description(said), _version(said))
    if reserved and any(word in front.name for word in _RESERVED):
        raise bad_front(f"name: cannot contain the reserved words {' and '.join(map(repr, _RESERVED))}.")
    return front


def _head(text: str) -> str:
    begin = _LINE.match(text)
    if begin is None:
        raise bad_front("the file must start with YAML frontmatter (---).")
    at = begin.end()
    while at < len(text) and at <= MOST_HEAD:
        if _LINE.match(text, at):
            return text[begin.end() : at]
        at = text.find("\n", at) + 1 or len(text)
    if at > MOST_HEAD:
        raise bad_front(f"the frontmatter should have at most {MOST_HEAD} characters.")
    raise bad_front("the YAML frontmatter is not closed by a line of ---.")


def _mapping(head: str) -> dict[Hashable, Any]:
    import yaml  # of use where somebody has skills

    try:
        depth = 0
        events = cast("Iterator[yaml.Event]", yaml.parse(head, Loader=yaml.SafeLoader))  # pyright: ignore[reportUnknownMemberType]
        for event in events:
            # One anchor can stand for billions of values, and what is deep takes the reader's stack.
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
                raise bad_front("anchors and aliases are not allowed in the frontmatter.")
            if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                depth += 1
                if depth > MOST_DEPTH:
                    raise bad_front("the frontmatter is nested too deeply.")
            elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                depth -= 1
        said: object = yaml.load(head, Loader=yaml.BaseLoader)
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        where = "" if mark is None else f" (line {mark.line + 2})"
        raise bad_front(f"the frontmatter is not valid YAML{where}.") from None
    if not isinstance(said, dict):
        raise bad_front("the frontmatter must be a YAML mapping with `name` and `description`.")
    return cast("dict[Hashable, Any]", said)


def _name(said: dict[Hashable, Any]) -> str:
    name = _text(said, "name")
    if len(name) > LONGEST_NAME:
        raise bad_front(f"name: should have at most {LONGEST_NAME} characters.")
    if not _NAME.fullmatch(name):
        raise bad_front("name: may only contain lowercase letters, numbers, and hyphens.")
    return name


def _description(said: dict[Hashable, Any]) -> str:
    description = _text(said, "description").strip()
    if len(description) > LONGEST_DESCRIPTION:
        raise bad_front(f"description: should have at most {LONGEST_DESCRIPTION} characters.")
    if _TAG.search(description):
        raise bad_front("description: cannot contain XML tags.")
    if _CONTROLS.search(description) or not _is_unicode(description):
        raise bad_front("description: cannot contain control characters.")
    return description


def _text(said: dict[Hashable, Any], key: str) -> str:
    value = said.get(key)
    if value is None:
        raise bad_front(f"{key}: Field required in the frontmatter.")
    if not isinstance(value, str):
        raise bad_front(f"{key}: must be text.")
    if not value.strip():
        raise bad_front(f"{key}: must not be empty.")
    return value


def _version(said: dict[Hashable, Any]) -> str | None:
    metadata = said.get("metadata")
    version = cast("dict[str, object]", metadata).get("version") if isinstance(metadata, dict) else None
    return version if isinstance(version, str) and _VERSION.fullmatch(version) else None


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
