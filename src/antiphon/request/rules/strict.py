"""Schemas that the reply must satisfy: `strict` tools and the output format.

Under the vendor's names of models the documented subset of JSON Schema is taken, so that what passes here passes
there. Under a model's own name, and where the owner wants it, whatever decoding can guarantee is taken too, and only
what it cannot guarantee is refused. The documented limits hold over all such schemas of a request.

Source: API reference, Structured outputs; texts as recorded.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from antiphon.request.case import Case, Issue
from antiphon.schema import judge
from antiphon.schema.documented import open_object, undocumented
from antiphon.wire.tools.definitions import CustomTool
from antiphon.wire.tools.schemas import is_schema
from antiphon.words import shown

MOST_TOOLS: Final = 20

MOST_OPTIONAL: Final = 24

MOST_UNIONS: Final = 16

_MANY: Final = ("allOf", "anyOf", "oneOf", "prefixItems")

_NAMED: Final = ("properties", "patternProperties", "dependentSchemas", "$defs", "definitions")

_ONE: Final = ("items", "additionalProperties", "unevaluatedProperties", "unevaluatedItems", "propertyNames", "not")


def most_strict(case: Case) -> Issue | None:
    """There are not too many strict tools, nor too many optional and union-typed parameters in all schemas."""
    strict = sum(getattr(tool, "strict", None) is True for _, tool in case.definitions)
    if strict > MOST_TOOLS:
        return Issue(
            f"Too many strict tools ({strict}). The maximum number of strict tools supported is {MOST_TOOLS}. "
            "Try reducing the number of tools marked as strict."
        )
    found = [_measure(schema) for _, schema in _schemas(case)]
    optional, unions = sum(one.optional for one in found), sum(one.unions for one in found)
    if optional > MOST_OPTIONAL:
        return Issue(
            f"Schemas contains too many optional parameters ({optional}), which would make grammar compilation "
            f"inefficient. Reduce the number of optional parameters in your tool schemas (limit: {MOST_OPTIONAL})."
        )
    if unions > MOST_UNIONS:
        return Issue(
            f"Schemas contains too many parameters with union types ({unions} parameters with type arrays or anyOf). "
            "This causes exponential compilation cost. Reduce the number of nullable or union-typed parameters "
            f"(limit: {MOST_UNIONS} parameters with unions)."
        )
    return None


def guaranteed_tools(case: Case) -> Issue | None:
    """The input of every strict tool can be guaranteed."""
    for path, schema in _tool_schemas(case):
        issue = _undocumented(case, path, schema) or _refusal(f"{path}.input_schema", schema)
        if issue is not None:
            return issue
    return None


def guaranteed_format(case: Case) -> Issue | None:
    """The output format is a schema, of closed objects, that can be guaranteed."""
    asked = _format(case)
    if asked is None:
        return None
    path, schema = asked
    if not is_schema(schema):
        return Issue(
            f"{path}: JSON schema is invalid. It must match JSON Schema draft 2020-12 "
            "(https://json-schema.org/draft/2020-12)."
        )
    issue = _undocumented(case, path, schema)
    if issue is not None:
        return issue
    if not _says_a_type(schema):
        return Issue(f"{path}: Invalid schema: Schema type is missing for schema: {shown(str(schema))}")
    reasons = map(open_object, _subschemas(schema))
    reason = next((reason for reason in reasons if reason is not None), None)
    return _refusal(path, schema) if reason is None else Issue(f"{path}: {reason}")


def _undocumented(case: Case, path: str, schema: Mapping[str, Any]) -> Issue | None:
    if case.profile.wide or case.latitude.extended_schemas:
        return None
    reason = undocumented(schema)
    if reason is None:
        return None
    advice = "A strict schema is refused as the API refuses it; extended_schemas = true takes all that can be kept"
    return Issue(f"{path}: {reason}", advice=advice)


def _refusal(path: str, schema: Mapping[str, Any]) -> Issue | None:
    problem = judge(schema).problem
    if problem is None:
        return None
    place = "".join(f".{shown(part)}" for part in problem.path) + (f".{problem.keyword}" if problem.keyword else "")
    return Issue(f"{path}{place}: {problem.reason}")


def _schemas(case: Case) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield from _tool_schemas(case)
    asked = _format(case)
    if asked is not None:
        yield asked


def _tool_schemas(case: Case) -> Iterator[tuple[str, Mapping[str, Any]]]:
    # The schemas of vendor-typed tools are the server's own.
    for path, tool in case.definitions:
        if isinstance(tool, CustomTool) and tool.strict is True:
            yield f"{path}.custom", tool.input_schema


def _format(case: Case) -> tuple[str, Mapping[str, Any]] | None:
    config, creation = case.request.output_config, case.creation
    if config is not None and config.format is not None:
        return "output_config.format.schema", config.format.schema_
    if creation is not None and creation.output_format is not None:
        return "output_format.schema", creation.output_format.schema_
    return None


@dataclass(frozen=True, slots=True)
class _Measure:
    optional: int
    unions: int


def _measure(schema: Mapping[str, Any]) -> _Measure:
    optional = unions = 0
    for inner in _subschemas(schema):
        properties: Any = inner.get("properties")
        if isinstance(properties, dict):
            required = [name for name in _list(inner.get("required")) if isinstance(name, str)]
            optional += len(cast("dict[str, Any]", properties).keys() - set(required))
        unions += "anyOf" in inner or len(_list(inner.get("type"))) > 1
    return _Measure(optional, unions)


def _subschemas(schema: Any) -> Iterator[Mapping[str, Any]]:
    """The schema and all within it; a keyword whose value is of the wrong kind holds none.

    A list instead of the stack, so that depth cannot hurt.
    """
    pending = [schema]
    while pending:
        inner = pending.pop()
        if not isinstance(inner, dict):
            continue
        keywords = cast("dict[str, Any]", inner)
        yield keywords
        for key in _MANY:
            pending.extend(_list(keywords.get(key)))
        for key in _NAMED:
            named: Any = keywords.get(key)
            pending.extend(cast("dict[str, Any]", named).values() if isinstance(named, dict) else ())
        pending.extend(keywords[key] for key in _ONE if key in keywords)


def _list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _says_a_type(schema: Mapping[str, Any]) -> bool:
    return not schema.keys().isdisjoint(("type", "anyOf", "allOf", "oneOf", "$ref", "enum", "const"))
