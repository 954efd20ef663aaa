"""What a broken client may make of a valid request: the same number gives the same bytes."""

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, cast

from antiphon.wire.headers import KNOWN_BETAS
from antiphon.wire.request import CountTokens
from tests.web.fuzz_requests import OWN, REQUESTS, VENDOR, Json
from tests.wire.requests import children
from tests.wire.samples import BETA_BLOCKS, BLOCKS
from tests.wire.tool_samples import BETA_FIELDS, BETA_TOOLS, FIELDS, TOOLS

Path = tuple[str | int, ...]

NAMES = (OWN, VENDOR, "claude-opus-4-8", "claude-3-7-sonnet-latest", "claude-opus-4-5-20251101", "no-such-model")
CLIENTS = ("", "claude-cli/2.1.197 (external, sdk-cli)", f"claude-cli/{'9' * 5000}", "claude-cli/1.", "x" * 3000)
DEPTHS = (2, 31, 64, 120, 127, 128, 129, 200, 255, 400, 990, 1100, 4000)
ATOMS: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2.5, 1e308, -0.0, 10**30, 2**53),
    *(
        "",
        " ",
        "a",
        "user",
        "\x00",
        "\x7f",
        "\ud800",
        "é\u2028",
        "a" * 3000,
        "#",
        "#/a",
        "(",
        "^(?=a)b$",
        "{{",
        "text",
    ),
    *([], {}, [[]], [{}], [None], {"": None}, {"type": None}, {"type": "text"}, {"$ref": "#"}, {"type": "object"}),
)

_BLOCKS: tuple[Json, ...] = (*BLOCKS.values(), *(block for block, _ in BETA_BLOCKS.values()))
_TOOLS: tuple[Json, ...] = (*TOOLS.values(), *(tool for tool, _ in BETA_TOOLS.values()))
_FIELDS: tuple[tuple[str, Any], ...] = (
    *((key, value) for key, values in FIELDS.items() for value in values),
    *((key, value) for key, value, _ in BETA_FIELDS),
)
_KEYWORDS = (
    *(
        "type",
        "properties",
        "required",
        "items",
        "anyOf",
        "oneOf",
        "allOf",
        "not",
        "if",
        "then",
        "enum",
        "const",
        "$ref",
    ),
    *("$defs", "minimum", "multipleOf", "pattern", "format", "minItems", "maxLength", "additionalProperties", "$id"),
    *(
        "patternProperties",
        "dependentRequired",
        "dependentSchemas",
        "prefixItems",
        "propertyNames",
        "default",
        "contains",
    ),
)


_WORDS = (
    *("a", "user", "assistant", "system", "look", "weather", "toolu_1", "object", "string", "array", "null", "date"),
    *(
        "<|im_end|>",
        "</thinking>",
        "<function_calls>",
        "\x7f",
        "\x00",
        " ",
        "é\u2028",
        "^[a-z]{2}$",
        "#/$defs/tag",
        "{{ x }}",
    ),
)
_SCHEMAS: tuple[Json, ...] = (
    *(
        {},
        {"type": "string"},
        {"type": ["object", "null"]},
        {"const": None},
        {"enum": []},
        {"not": {}},
        {"$ref": "#"},
    ),
    *(
        {"type": "object", "additionalProperties": {"type": "integer"}},
        {"type": "array", "prefixItems": [{}], "items": False},
    ),
    *(
        {"anyOf": [{"type": "string"}, {"$ref": "#"}]},
        {"oneOf": [{"minimum": 1}, {"maxLength": 2}]},
        {"allOf": [{}, {}]},
    ),
    *({"type": "string", "pattern": "^(?=a)b"}, {"type": "string", "format": "uri"}, {"if": {}, "then": False}),
    *(
        {"patternProperties": {"^a": {}, "b$": {}}},
        {"dependentRequired": {"a": ["b"]}},
        {"type": "number", "multipleOf": 0.1},
    ),
    *({"type": "object", "properties": {"a": {"$ref": "#/properties"}}}, {"minItems": 300}, {"uniqueItems": True}),
)


@dataclass(frozen=True, slots=True)
class Mutation:
    """A request as a broken client sends it."""

    path: str
    body: bytes
    headers: Mapping[str, str | None]


def mutation(name: str, seed: int, number: int) -> Mutation:
    """The mutation of the named request with this number."""
    dice = Random(f"{name}/{seed}/{number}")
    request: Json = copy.deepcopy(REQUESTS[name])
    counting = dice.random() < 0.25
    if counting:
        request = {key: value for key, value in request.items() if key in CountTokens.model_fields}
    if dice.random() < 0.2:
        request["model"] = dice.choice(NAMES)
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        request = changed(dice, request)
    if dice.random() < 0.12:
        # Last, since what is that deep cannot be copied.
        request = _deepen(dice, request)
    body = _text(dice, request)
    betas = KNOWN_BETAS if dice.random() < 0.8 else frozenset(dice.sample(sorted(KNOWN_BETAS), dice.randrange(6)))
    headers = {
        # Under this one nothing goes with a toolset.
        "anthropic-beta": ",".join(sorted(betas - {"fine-grained-tool-streaming-2025-05-14"})) or None,
        "anthropic-version": dice.choice(("2023-06-01", "2023-06-01", "2026-10-21")),
        "user-agent": dice.choice(CLIENTS),
    }
    return Mutation("/v1/messages/count_tokens" if counting else "/v1/messages", body, headers)


def changed(dice: Random, request: Json) -> Json:
    """The request with one change that a broken client may have made; it may be the same object."""
    return dice.choices(_CHANGES, _WEIGHTS)[0](dice, request)


def written(dice: Random, request: Json) -> bytes:
    """The request as bytes, which are harmed now and then."""
    return _text(dice, request)


def _places(value: Any, path: Path = ()) -> Iterator[Path]:
    pending: list[tuple[Any, Path]] = [(value, path)]
    while pending:
        inner, at = pending.pop()
        for key, child in children(inner):
            yield (*at, key)
            if len(at) < 40:
                pending.append((child, (*at, key)))


def _somewhere(dice: Random, request: Json) -> tuple[Any, str | int]:
    """A container in the request and one of its keys."""
    if not request:
        request["model"] = OWN
    path = dice.choice(list(_places(request)))
    target: Any = request
    for key in path[:-1]:
        target = target[key]
    return target, path[-1]


def _nested(dice: Random, inner: Any) -> Any:
    value, depth = inner, dice.choice(DEPTHS)
    wrap: Callable[[Any], Any] = dice.choice(
        (
            lambda value: [value],
            lambda value: {"a": value},
            lambda value: {"type": "object", "properties": {"a": value}},
            lambda value: {"type": "array", "items": value},
            lambda value: {"anyOf": [value, {"type": "null"}]},
        )
    )
    for _ in range(depth):
        value = wrap(value)
    return value


def _any(dice: Random, request: Json) -> Any:
    """Another value: a plain one, a part of the request itself, or a whole block or tool."""
    kind = dice.randrange(10)
    if kind < 6:
        return copy.deepcopy(dice.choice(ATOMS))
    if kind < 8:
        target, key = _somewhere(dice, request)
        return copy.deepcopy(target[key])
    return copy.deepcopy(dice.choice(_BLOCKS if kind == 8 else _TOOLS))


def _swap(dice: Random, request: Json) -> Json:
    target, key = _somewhere(dice, request)
    target[key] = _any(dice, request)
    return request


def _vary(dice: Random, request: Json) -> Json:
    """Another value of the same kind: much of this is a request that is answered."""
    target, key = _somewhere(dice, request)
    match target[key]:
        case bool(flag):
            target[key] = not flag
        case str():
            target[key] = dice.choice(_WORDS)
        case int() | float():
            target[key] = dice.choice((0, 1, 2, 1024, 3000, 0.5, 10**6))
        case list():
            dice.shuffle(target[key])
        case dict():
            target[key] = copy.deepcopy(dice.choice(_SCHEMAS if "properties" in str(request) else _BLOCKS))
        case _:
            target[key] = dice.choice(_WORDS)
    return request


def _remove(dice: Random, request: Json) -> Json:
    target, key = _somewhere(dice, request)
    del target[key]
    return request


def _add(dice: Random, request: Json) -> Json:
    target, key = _somewhere(dice, request)
    inner: Any = target[key]
    if isinstance(inner, list):
        cast("list[Any]", inner).insert(dice.randrange(len(cast("list[Any]", inner)) + 1), _any(dice, request))
    elif isinstance(inner, dict):
        inner[dice.choice((*_KEYWORDS, "a", "unheard_of", "cache_control", "k" * 600))] = _any(dice, request)
    else:
        target[key] = [inner] if dice.random() < 0.5 else {"type": inner}
    return request


def _double(dice: Random, request: Json) -> Json:
    target, key = _somewhere(dice, request)
    if isinstance(target, list):
        cast("list[Any]", target).append(copy.deepcopy(cast("list[Any]", target)[cast("int", key)]))
    elif "\u0001" not in str(key):
        target[f"{key}\u0001"] = _any(dice, request)
    return request


def _deepen(dice: Random, request: Json) -> Json:
    target, key = _somewhere(dice, request)
    target[key] = _nested(dice, target[key])
    return request


def _field(dice: Random, request: Json) -> Json:
    key, value = dice.choice(_FIELDS)
    request[key] = copy.deepcopy(value)
    return request


_CHANGES = (_swap, _vary, _remove, _add, _double, _field)
_WEIGHTS = (6, 8, 3, 4, 2, 2)


def _dumped(value: Any) -> str:
    """The value as JSON, however deep: the writers of the standard library and of orjson stop before."""
    parts: list[str] = []
    pending: list[Any] = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, _Raw):
            parts.append(one)
        elif isinstance(one, dict):
            inner: list[Any] = [_Raw("}")]
            for n, (key, item) in enumerate(cast("dict[str, Any]", one).items()):
                # A doubled key is told apart only here.
                inner += [item, _Raw(f"{',' if n else ''}{json.dumps(key.removesuffix(chr(1)))}:")]
            pending += [inner[0], *reversed([*_pairs(inner[1:])]), _Raw("{")]
        elif isinstance(one, list):
            items: list[Any] = []
            for n, item in enumerate(cast("list[Any]", one)):
                items += [_Raw(","), item] if n else [item]
            pending += [_Raw("]"), *reversed(items), _Raw("[")]
        else:
            parts.append(json.dumps(one))
    return "".join(parts)


def _pairs(flat: list[Any]) -> Iterator[Any]:
    for n in range(0, len(flat), 2):
        yield flat[n + 1]
        yield flat[n]


class _Raw(str):
    __slots__ = ()


def _text(dice: Random, request: Json) -> bytes:
    text = _dumped(request).encode("utf-8", "surrogatepass")
    harm = dice.randrange(60)
    if harm == 0:
        return text[: dice.randrange(len(text) + 1)]
    if harm == 1:
        at = dice.randrange(len(text))
        return text[:at] + bytes([dice.randrange(256)]) + text[at + 1 :]
    if harm == 2:
        at = dice.randrange(len(text))
        return text[:at] + dice.choice((b"{", b"]", b'"', b"\xff", b"\\u0000", b"NaN", b"1e999")) + text[at:]
    return text
