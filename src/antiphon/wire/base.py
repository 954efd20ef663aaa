"""What all request models share: closed, strict, frozen, and gated by the request's headers.

Three markers say how the API writes its paths and what it lets through:

- `ByType()`: a union told apart by `type`; the tag becomes a part of the path (`messages.0.content.1.tool_result`).
- `ByKind()`: a union told apart by the JSON kind of the value; the chosen branch has no part in the path.
- `beta_field(…)`, `version_field(…)`: a key that does not exist unless a header asks for it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import NoneType
from typing import Annotated, Any, Final, Literal, LiteralString, TypeVar, cast, get_args, get_origin

from msgspec import Struct
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, GetCoreSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from antiphon.wire.gates import CACHE_SCOPE, LOCKED_TAGS
from antiphon.wire.headers import Version

# Kinds of error that only this package raises; `rules.wording` knows them.
CLOSED: Final = "closed"  # a key that the request's headers do not unlock: an unknown key to the client
LOCKED: Final = "locked"  # a tag that the request's headers do not unlock; the path ends with that tag
BARE: Final = "bare"  # the message stands alone, without the path in front
SUB_PATH: Final = "at"  # error context: parts to append to the path


class OwnTools(Struct, frozen=True):
    """Server tools that the API does not have, which this server's owner has added.

    `types`: what the types of their definitions begin with. `names`: those of their calls. `results`: the types of
    their results.
    """

    types: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()
    results: frozenset[str] = frozenset()

    def has(self, tag: object) -> bool:
        """Whether a definition or a result of this type is one of theirs."""
        return isinstance(tag, str) and (tag in self.results or (bool(self.types) and tag.startswith(self.types)))


class WireContext(Struct, frozen=True):
    """What a request's headers say, as far as it decides which keys and values exist, and what is the owner's own.

    `client`: the text of the user-agent header. `session`: what the client calls its session, empty where it names
    none. `tenant`: the workspace of the key that was shown, `key`: its id, `models`: patterns of the names of models
    that it may ask for (None: all of them). `own`: the owner's own server tools. `own_models`: names of models that
    are not the vendor's. `batch`: the request is one of a batch's. Passed as the validation context; without one
    every key of every version and beta is accepted.
    """

    version: Version = "2023-06-01"
    betas: frozenset[str] = frozenset()
    own: OwnTools = OwnTools()
    client: str = ""
    own_models: frozenset[str] = frozenset()
    session: str = ""
    tenant: str = ""
    key: str = ""
    models: tuple[str, ...] | None = None
    batch: bool = False

    def unlocks(self, headers: frozenset[str]) -> bool:
        """Whether at least one of the beta headers was sent."""
        return not self.betas.isdisjoint(headers)


def context_of(info: ValidationInfo) -> WireContext | None:
    """The request's headers, or None where a value is validated outside a request."""
    return info.context if isinstance(info.context, WireContext) else None


class WireModel(BaseModel):
    """Base of everything that a client sends: frozen, without conversions, and closed against unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, protected_namespaces=())


def complaint(message: str, *, at: tuple[str | int, ...] = (), kind: LiteralString = "rule") -> PydanticCustomError:
    """An error in the API's own words. `at`: parts to append to the path of the validated value."""
    return PydanticCustomError(kind, "{message}", {"message": message, SUB_PATH: at})


def _closed() -> PydanticCustomError:
    return complaint("Extra inputs are not permitted", kind=CLOSED)


def beta_field(headers: frozenset[str]) -> BeforeValidator:
    """Marks a key that exists only under one of the beta headers; without it the key is an unknown one."""

    def check(value: object, info: ValidationInfo) -> object:
        context = context_of(info)
        if context is not None and not context.unlocks(headers):
            raise _closed()
        return value

    return BeforeValidator(check)


def version_field(version: Version) -> BeforeValidator:
    """Marks a key that exists only in one protocol version; for models that are not the vendor's, in every one.

    The request's `model` stands before the key, since it decides.
    """

    def check(value: object, info: ValidationInfo) -> object:
        context = context_of(info)
        if context is not None and context.version != version and info.data.get("model") not in context.own_models:
            raise _closed()
        return value

    return BeforeValidator(check)


@dataclass(frozen=True, slots=True, eq=False)
class BetaChoices:
    """Says which values of a Literal exist only under a beta header; `gates`: value → headers."""

    gates: Mapping[str, frozenset[str]]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        values: tuple[str, ...] = get_args(source)

        def check(value: object, info: ValidationInfo) -> object:
            context = context_of(info)
            allowed = [v for v in values if context is None or v not in self.gates or context.unlocks(self.gates[v])]
            if value not in allowed:
                raise complaint(f"Input should be {either(allowed)}")
            return value

        return core_schema.with_info_before_validator_function(check, handler(source))


@dataclass(frozen=True, slots=True, eq=False)
class OrOwnName:
    """Lets the names of the owner's own tools through, besides those of a Literal."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def check(value: object, known: Callable[[object], object], info: ValidationInfo) -> object:
            context = context_of(info)
            own = context is not None and isinstance(value, str) and value in context.own.names
            return value if own else known(value)

        return core_schema.with_info_wrap_validator_function(check, handler(source))


def either(values: list[str]) -> str:
    """`'a', 'b' or 'c'`."""
    quoted = [f"'{value}'" for value in values]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


@dataclass(frozen=True, slots=True, eq=False)
class ByType:
    """Tells the members of a union apart by their `type`; a tag that a header would unlock may be locked.

    `default`: the tag that an object without `type` (or with null) has. A member whose `type` is any text stands for
    the tags of the owner's own tools.
    """

    default: str | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        members: tuple[type[BaseModel], ...] = get_args(source) or (source,)
        schemas = {
            tag: handler.generate_schema(member)
            for member in members
            for tag in get_args(member.model_fields["type"].annotation)
        }
        tags = sorted(schemas)
        choices: dict[Any, CoreSchema] = {tag: _behind_gate(tag, tags, schemas[tag]) for tag in tags}
        union: CoreSchema = core_schema.tagged_union_schema(choices, discriminator="type")
        own = next((member for member in members if member.model_fields["type"].annotation is str), None)
        if own is not None:
            union = core_schema.with_info_wrap_validator_function(_of_the_owner(own), union)
        if self.default is None:
            return union
        return core_schema.no_info_before_validator_function(self._with_default, union)

    def _with_default(self, value: object) -> object:
        if not isinstance(value, dict):
            return value
        entry = cast("dict[str, object]", value)
        return {**entry, "type": self.default} if entry.get("type") is None else entry


def tags(union: Any) -> frozenset[str]:
    """The tags of a union `Annotated[…, ByType()]`."""
    members: tuple[type[BaseModel], ...] = get_args(get_args(union)[0])
    return frozenset(tag for member in members for tag in get_args(member.model_fields["type"].annotation))


def _of_the_owner(member: type[BaseModel]) -> Callable[[object, Callable[[object], object], ValidationInfo], object]:
    def check(value: object, known: Callable[[object], object], info: ValidationInfo) -> object:
        context = context_of(info)
        if context is not None and isinstance(value, dict) and context.own.has(cast("Any", value).get("type")):
            return member.model_validate(value, context=context)
        return known(cast("object", value))

    return check


def _behind_gate(tag: str, tags: list[str], schema: CoreSchema) -> CoreSchema:
    gate = LOCKED_TAGS.get(tag)
    if gate is None:
        return schema
    expected = ", ".join(f"'{known}'" for known in tags)

    def check(value: object, info: ValidationInfo) -> object:
        context = context_of(info)
        if context is not None and not context.unlocks(gate):
            raise PydanticCustomError(LOCKED, "{tag}", {"tag": tag, "expected_tags": expected})
        return value

    return core_schema.with_info_before_validator_function(check, schema)


# The API's paths do not show which branch of a union of kinds was taken. Positions in a list are never
# negative, so a negative part marks such a branch, and `rules.wording` leaves it out.
_UNNAMED: Final = -1


@dataclass(frozen=True, slots=True, eq=False)
class ByKind:
    """Tells the members of a union apart by JSON kind: string, boolean, array, object.

    A value of another kind is judged by the last member. `name`: what the path calls that last member.
    """

    name: str | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        members = get_args(source)
        kinds: dict[type, str | int] = {}
        choices: dict[Any, CoreSchema] = {}
        label: str | int = _UNNAMED
        for position, member in enumerate(members):
            last = position == len(members) - 1
            label = self.name if last and self.name is not None else _UNNAMED - position
            kinds[_kind(member)] = label
            choices[label] = handler.generate_schema(member)
        fallback = label

        def choose(value: object) -> str | int:
            kind = dict if isinstance(value, BaseModel) else type(value)
            return kinds.get(kind, fallback)

        return core_schema.tagged_union_schema(choices, discriminator=choose)


def _kind(member: Any) -> type:
    while get_origin(member) is Annotated:
        member = get_args(member)[0]
    if get_origin(member) is Literal:
        return str
    if member in (str, bool):
        return cast("type", member)
    return list if get_origin(member) is list else dict


_Nested = TypeVar("_Nested", bound=dict[Any, Any] | list[Any])

MOST_NESTED: Final = 128
"""Levels of arrays and objects in JSON that a client may keep here as it is: `tool_use.input`, schemas, results.

Half of what the JSON writer takes (254), so that such a value may stand within others where it is written again, and
little enough for the interpreter's stack, on which the templates of models walk. Real inputs have under 20.
"""


# A union of types would be twice as slow to ask for.
_CONTAINERS: Final = (dict, list)


def within(value: dict[Any, Any] | list[Any], depth: int) -> list[Any]:
    """The arrays and objects that stand so many levels within this one; of 0 it is itself."""
    level: list[Any] = [value]
    for _ in range(depth):
        if not level:
            break
        level = [
            inner
            for outer in level
            for inner in (cast("Any", outer).values() if isinstance(outer, dict) else outer)
            if isinstance(inner, _CONTAINERS)
        ]
    return level


def _shallow(value: _Nested) -> _Nested:
    if within(value, MOST_NESTED):
        raise complaint(f"Input should be nested at most {MOST_NESTED} levels deep")
    return value


def _shallow_value(value: object) -> object:
    return _shallow(cast("list[Any]", value)) if isinstance(value, dict | list) else value


JsonObject = Annotated[dict[str, Any], AfterValidator(_shallow)]
"""An object of the client's that is kept as it is."""

JsonValue = Annotated[Any, AfterValidator(_shallow_value)]
"""Any JSON of the client's that is kept as it is."""


class NotNull:
    """Marks a union with None whose None means absence: the value itself may not be null."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        (member,) = (a for a in get_args(source) if a is not NoneType)
        return handler.generate_schema(member)


_T = TypeVar("_T")

Maybe = Annotated[_T | None, NotNull()]
"""A key that may be left out and may not be null; None when it was left out."""


class _FirstProblem:
    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        (item,) = get_args(source)
        return core_schema.list_schema(handler.generate_schema(item), fail_fast=True)


Items = Annotated[list[_T], _FirstProblem()]
"""An array. Only a request's first problem is reported, so the rest of a bad array is not looked at."""


class CacheControl(WireModel):
    """A cache breakpoint; without `ttl` it lives for five minutes."""

    type: Literal["ephemeral"]
    ttl: Maybe[Literal["5m", "1h"]] = None
    scope: Annotated[Maybe[str], beta_field(CACHE_SCOPE)] = None


CacheMarker = Annotated[CacheControl, ByType()]
"""`CacheControl` as a value of a key; its only tag, `ephemeral`, is a part of the path."""
