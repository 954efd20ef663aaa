"""From a failed validation to the one message that the API sends.

Pydantic reports every problem with its own words and paths; the API reports the first one, with words and paths
that differ in few places. Source: the API's recorded errors.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from antiphon.wire.base import BARE, CLOSED, LOCKED, SUB_PATH, WireContext
from antiphon.wire.gates import LOCKED_TAGS
from antiphon.words import shown

_NO_OBJECT: Final = "Input should be an object"

_WRONG_SHAPE: Final = "Input does not match the expected shape."

# Pydantic's kind of error → the API's words, where they are not the same.
_WORDS: Final[Mapping[str, str]] = {
    "list_type": "Input should be a valid array",
    "model_attributes_type": _NO_OBJECT,
    "dict_attributes_type": _NO_OBJECT,
    "model_type": _WRONG_SHAPE,
    "union_tag_not_found": "Field required",
}

# Models that the API calls objects although no tag tells them from others.
_OBJECTS: Final = frozenset({"InputMessage"})

_UNKNOWN_KEY: Final = frozenset({CLOSED, "extra_forbidden"})


def first_problem(error: ValidationError, context: WireContext) -> str:
    """The API's message for the first problem that it would have found in a request with these headers.

    `messages.0.content.1.tool_result.tool_use_id: Field required`: the path of the value, with the tag of each
    union member on the way, then what is wrong.
    """
    problem = _first(error.errors(include_url=False, include_input=False))
    kind = problem["type"]
    message = _words(problem, context)
    if kind == BARE:
        return message
    path = [part for part in problem["loc"] if isinstance(part, str) or part >= 0]
    path.extend(problem.get("ctx", {}).get(SUB_PATH, ()))
    if kind == "union_tag_not_found":
        path.append("type")
    if kind == LOCKED:
        path.pop()
    return f"{'.'.join(shown(str(part)) for part in path)}: {message}"


def _first(problems: Sequence[ErrorDetails]) -> ErrorDetails:
    """Unknown keys come after all known ones of their object; pydantic has a locked key at its field's place."""
    chosen = problems[0]
    if chosen["type"] != CLOSED:
        return chosen
    parent = chosen["loc"][:-1]
    for other in problems[1:]:
        inside = other["loc"][: len(parent)] == parent
        unknown = other["type"] in _UNKNOWN_KEY and other["loc"][:-1] == parent
        if inside and not unknown:
            return other
    return chosen


def _words(problem: ErrorDetails, context: WireContext) -> str:
    kind, details = problem["type"], problem.get("ctx", {})
    if kind in ("union_tag_invalid", LOCKED):
        return _unexpected_tag(details["tag"], details["expected_tags"], context)
    if kind == "model_type" and details["class_name"] in _OBJECTS:
        return _NO_OBJECT
    return details.get("message") or _WORDS.get(kind, problem["msg"])


def _unexpected_tag(tag: str, expected: str, context: WireContext) -> str:
    """`expected` lists all tags, quoted; those that the request's headers do not unlock do not exist for it."""
    tags = (quoted.strip("'") for quoted in expected.split(", "))
    listed = (f"'{known}'" for known in tags if known not in LOCKED_TAGS or context.unlocks(LOCKED_TAGS[known]))
    return f"Input tag '{shown(tag)}' found using 'type' does not match any of the expected tags: {', '.join(listed)}"
