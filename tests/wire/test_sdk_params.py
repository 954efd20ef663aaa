"""The request models and the official SDK's types agree on every key, at every depth.

Compared are: which keys there are, which are required, which may be null, which JSON kinds and which words a value
may have. Where we differ on purpose, the difference is listed with its reason.
"""

import collections.abc
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Literal, NotRequired, Required, Union, get_args, get_origin

import pytest
from anthropic.types.beta import message_count_tokens_params, message_create_params
from pydantic import BaseModel
from typing_extensions import get_type_hints, is_typeddict

from antiphon.wire.base import NotNull, WireModel
from antiphon.wire.content.blocks import OwnResultBlock
from antiphon.wire.request import CountTokens, CreateMessage
from antiphon.wire.tools.definitions import OwnTool

# What only Python programs can pass, and what travels in headers.
NO_JSON = frozenset({"IO", "PathLike"})
IN_HEADERS = frozenset({"betas", "user_profile_id", "workspace_id"})

DIFFERENCES = {
    # Citations and calls as replies carry them; clients send them back.
    "CharLocation.file_id: ours alone",
    "PageLocation.file_id: ours alone",
    "ContentBlockLocation.file_id: ours alone",
    # Pictures in results of MCP servers, which the API has no words for.
    "McpToolResultBlock.content, image: ours alone",
    "ToolUseBlock.caller: null",
    "ServerToolUseBlock.caller: null",
    "WebSearchToolResultBlock.caller: null",
    "WebFetchToolResultBlock.caller: null",
    # The SDK says "any object or null" in words, and `object` as a type.
    "FallbackBlock.trigger: null",
    # An unknown role has an error of its own, which is no error of shape.
    "InputMessage.role: str",
    "InputMessage.role: words ['assistant', 'system', 'user']",
    # Filled in where it may be missing.
    "InputMessage.content: required",
    "CustomTool.type: required",
    "CustomTool.type: null",
    # Behind a header that only the vendor's own clients send.
    "CacheControl.scope: ours alone",
    # Refused in the API's own words, which takes knowing the key.
    "BrowserToolset20260801.allowed_callers: ours alone",
    "ComputerToolset20260801.allowed_callers: ours alone",
    # Keys of the older protocol version, which this SDK does not speak, and of older SDKs behind their header.
    "CreateMessage.temperature: ours alone",
    "CreateMessage.top_k: ours alone",
    "CreateMessage.top_p: ours alone",
    "CreateMessage.output_format: ours alone",
    # Two types in the SDK, one for each value.
    "CreateMessage.stream: bool",
    "CreateMessage.stream: words ['False', 'True']",
}


@dataclass
class Shape:
    """What a value may be: JSON kinds, words, items of an array, objects by tag."""

    kinds: set[str] = field(default_factory=set[str])
    words: set[str] = field(default_factory=set[str])
    items: list[Any] = field(default_factory=list[Any])
    objects: dict[str, tuple[Any, ...]] = field(default_factory=dict[str, tuple[Any, ...]])


def alternatives(hint: Any) -> Iterator[Any]:
    """The members of a union, through annotations; null is left out where it is refused."""
    origin = get_origin(hint)
    if origin in (Required, NotRequired):
        yield from alternatives(get_args(hint)[0])
    elif origin is typing.Annotated:
        refuses_null = any(isinstance(mark, NotNull) for mark in hint.__metadata__)
        inner = alternatives(get_args(hint)[0])
        yield from (one for one in inner if not (refuses_null and one is types.NoneType))
    elif origin in (Union, types.UnionType):
        for member in get_args(hint):
            yield from alternatives(member)
    else:
        yield hint


def shape(hints: tuple[Any, ...]) -> Shape:
    found = Shape()
    for one in chain.from_iterable(map(alternatives, hints)):
        origin = get_origin(one)
        if one in (OwnTool, OwnResultBlock):
            continue  # what an owner has added is nobody else's
        if origin is Literal:
            found.words.update(map(str, get_args(one)))
        elif origin in (list, collections.abc.Iterable, collections.abc.Sequence):
            found.items.append(get_args(one)[0])
        elif is_typeddict(one) or (isinstance(one, type) and issubclass(one, WireModel)):
            for tag in tags(one):
                found.objects[tag] = (*found.objects.get(tag, ()), one)
        elif origin is dict or one is object:
            found.kinds.add("open object")
        elif isinstance(one, type) and not issubclass(one, BaseModel) and one.__name__ not in NO_JSON:
            found.kinds.add(one.__name__)
    if "str" in found.kinds:
        found.words.clear()
    if "open object" in found.kinds:
        found.objects.clear()
    return found


def keys(model: Any) -> dict[str, tuple[Any, bool]]:
    """The keys of an object with their types, and whether they are required."""
    hints: dict[str, Any] = get_type_hints(model, include_extras=True)
    if is_typeddict(model):
        return {key: (hint, get_origin(hint) is Required) for key, hint in hints.items() if key not in IN_HEADERS}
    fields = model.model_fields
    return {f.alias or name: (hints[name], f.is_required()) for name, f in fields.items()}


def joined(models: tuple[Any, ...]) -> dict[str, tuple[tuple[Any, ...], bool]]:
    """The keys of objects that no tag tells apart, with all their types; required is what all of them require."""
    each = [keys(model) for model in models]
    return {
        key: (tuple(k[key][0] for k in each if key in k), all(key in k and k[key][1] for k in each))
        for key in dict.fromkeys(chain.from_iterable(each))
    }


def tags(model: Any) -> tuple[str, ...]:
    hint = keys(model).get("type", (None, False))[0]
    return tuple(sorted(shape((hint,)).words)) or ("",)


def compared(path: str, theirs: tuple[Any, ...], ours: tuple[Any, ...], seen: set[Any]) -> Iterator[str]:
    """How two types differ, and the objects in them, as `Class.key: difference`."""
    a, b = shape(theirs), shape(ours)
    for kind in sorted((a.kinds | {"list"} if a.items else a.kinds) ^ (b.kinds | {"list"} if b.items else b.kinds)):
        yield f"{path}: {kind.replace('NoneType', 'null')}"
    if a.words != b.words:
        yield f"{path}: words {sorted(a.words ^ b.words)}"
    if a.items and b.items:
        yield from compared(path, tuple(a.items), tuple(b.items), seen)
    for tag in sorted(a.objects.keys() | b.objects.keys()):
        if tag not in b.objects or tag not in a.objects:
            yield f"{path}, {tag}: {'theirs' if tag in a.objects else 'ours'} alone"
        elif (pair := (a.objects[tag], b.objects[tag])) not in seen:
            seen.add(pair)
            yield from members(*pair, seen)


def members(theirs: tuple[Any, ...], ours: tuple[Any, ...], seen: set[Any]) -> Iterator[str]:
    a, b = joined(theirs), joined(ours)
    name = "|".join(model.__name__ for model in ours)
    for key in dict.fromkeys([*a, *b]):
        if key not in b or key not in a:
            yield f"{name}.{key}: {'theirs' if key in a else 'ours'} alone"
            continue
        if a[key][1] != b[key][1]:
            yield f"{name}.{key}: required"
        yield from compared(f"{name}.{key}", a[key][0], b[key][0], seen)


def differences(theirs: Any, ours: type[WireModel]) -> set[str]:
    return set(members(tuple(alternatives(theirs)), (ours,), set()))


@pytest.mark.promise("intake.sdk-types")
def test_a_request_for_a_reply_has_the_sdks_keys():
    assert differences(message_create_params.MessageCreateParams, CreateMessage) == DIFFERENCES


@pytest.mark.promise("intake.sdk-types")
def test_a_request_for_a_count_has_the_sdks_keys():
    found = differences(message_count_tokens_params.MessageCountTokensParams, CountTokens)
    assert found == {line for line in DIFFERENCES if not line.startswith("CreateMessage")}
