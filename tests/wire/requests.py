"""How the tests of the request side make a request and read the answer."""

import json
from typing import Any, cast

import pytest

from antiphon.errors import InvalidRequest
from antiphon.request.intake import parse_create
from antiphon.wire.base import WireContext
from antiphon.wire.headers import Version
from antiphon.wire.request import CreateMessage

LEAVE_OUT = object()


def body(**changes: Any) -> dict[str, Any]:
    """A minimal valid request with these keys set, or left out."""
    whole = {
        "model": "claude-sonnet-4-5",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": "Hello"}],
        **changes,
    }
    return {key: value for key, value in whole.items() if value is not LEAVE_OUT}


def holding(*blocks: Any, role: str = "user") -> list[dict[str, Any]]:
    """A conversation of one message with these blocks."""
    return [{"role": role, "content": list(blocks)}]


def headers(*betas: str, version: Version = "2023-06-01") -> WireContext:
    """The headers of a request; a string may hold several names, as in the header."""
    return WireContext(version, frozenset(name for names in betas for name in names.split(",") if name))


def accepted(request: dict[str, Any], context: WireContext | None = None) -> CreateMessage:
    return parse_create(json.dumps(request).encode(), context or headers())


def refused(request: dict[str, Any], context: WireContext | None = None) -> str:
    """The message with which the request is refused."""
    with pytest.raises(InvalidRequest) as caught:
        parse_create(json.dumps(request).encode(), context or headers())
    assert caught.value.status == 400
    return caught.value.message


def children(value: Any) -> list[tuple[str | int, Any]]:
    """The members of a JSON object or array, with their keys or positions."""
    if isinstance(value, dict):
        return list(cast("dict[str | int, Any]", value).items())
    return list(enumerate(cast("list[Any]", value))) if isinstance(value, list) else []
