"""From the bytes of a request to its value, or to the API's error: JSON first, then shapes.

What needs several fields at once (pairing, roles, what a model allows) is checked afterwards, by the ladder.
"""

from typing import Any, Final, TypeVar, cast

import orjson
from msgspec import Struct
from pydantic import ValidationError

from antiphon.errors import InvalidRequest
from antiphon.request.wording import first_problem
from antiphon.wire.base import MOST_NESTED, WireContext, WireModel, within
from antiphon.wire.request import CountTokens, CreateMessage

_Request = TypeVar("_Request", bound=WireModel)


class Document(Struct, frozen=True):
    """The body of a request as JSON, of whatever shape. `size`: the bytes that it takes."""

    value: dict[str, Any]
    size: int


def document_of(body: bytes) -> Document:
    """The JSON object in a body; raises `InvalidRequest` where there is none."""
    try:
        document: object = orjson.loads(body)
    except orjson.JSONDecodeError as broken:
        raise InvalidRequest(f"The request body is not valid JSON: {broken}") from None
    if not isinstance(document, dict):
        raise InvalidRequest("The request body should be a JSON object")
    _cut(cast("dict[str, object]", document))
    return Document(cast("dict[str, Any]", document), len(body))


def create_of(document: Document, context: WireContext) -> CreateMessage:
    """The request that a document of `POST /v1/messages` is; raises `InvalidRequest` with its first problem."""
    return _parse(CreateMessage, document, context)


def count_of(document: Document, context: WireContext) -> CountTokens:
    """The same of `POST /v1/messages/count_tokens`."""
    return _parse(CountTokens, document, context)


def parse_create(body: bytes, context: WireContext) -> CreateMessage:
    """The request in the body of `POST /v1/messages`; raises `InvalidRequest` with its first problem."""
    return create_of(document_of(body), context)


def parse_count(body: bytes, context: WireContext) -> CountTokens:
    """The request in the body of `POST /v1/messages/count_tokens`; raises `InvalidRequest` with its first problem."""
    return count_of(document_of(body), context)


def _parse(shape: type[_Request], document: Document, context: WireContext) -> _Request:
    try:
        return shape.model_validate(document.value, context=context)
    except ValidationError as wrong:
        raise InvalidRequest(_message(shape, cast("object", document.value), wrong, context)) from None


def _cut(document: dict[str, object]) -> None:
    """Empty what is nested deeper than anything that passes, so that whoever looks at a value gets to its end.

    The value that it stands in is still deeper than it may be, and is refused where it stands.
    """
    for container in within(document, _DEEPEST_SHAPE + MOST_NESTED):
        container.clear()


# A report of every problem is made before the first can be read off, and costs microseconds for each. Only an
# object with very many unknown keys has very many problems.
_MANY_PROBLEMS: Final = 1_000

_KEYS_LOOKED_AT: Final = 100

_DEEPEST_SHAPE: Final = 32


def _message(shape: type[_Request], document: object, wrong: ValidationError, context: WireContext) -> str:
    if wrong.error_count() > _MANY_PROBLEMS:
        try:
            shape.model_validate(_thinned(document, _known_keys(WireModel)), context=context)
        except ValidationError as fewer:
            return first_problem(fewer, context)
    return first_problem(wrong, context)


def _known_keys(model: type[WireModel]) -> frozenset[str]:
    own = (field.alias or name for name, field in model.model_fields.items())
    return frozenset(own).union(*map(_known_keys, model.__subclasses__()))


def _thinned(value: object, known: frozenset[str], depth: int = 0) -> object:
    """The value with fewer unknown keys: in every object the first ones stay, and all that some shape knows."""
    if depth == _DEEPEST_SHAPE:
        return value
    if isinstance(value, list):
        return [_thinned(item, known, depth + 1) for item in cast("list[object]", value)]
    if isinstance(value, dict):
        items = enumerate(cast("dict[str, object]", value).items())
        return {
            key: _thinned(item, known, depth + 1)
            for position, (key, item) in items
            if position < _KEYS_LOOKED_AT or key in known
        }
    return value
