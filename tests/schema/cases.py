"""Draft 2020-12, keyword by keyword: schemas, values that fit, values that do not, and what becomes of each under
decoding. The table of the documentation is printed from here."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

Json = Any

WHOLE: Final = "guaranteed"
NARROWER: Final = "guaranteed, narrower"
REFUSED: Final = "refused"


@dataclass(frozen=True)
class Keyword:
    """One keyword in one use. `narrowed`: values that fit and are not written."""

    name: str
    schema: Json
    fits: tuple[Json, ...] = ()
    fails: tuple[Json, ...] = ()
    becomes: str = WHOLE
    note: str = ""
    narrowed: tuple[Json, ...] = ()


def _string(name: str, fits: tuple[Json, ...], fails: tuple[Json, ...], note: str = "", **keywords: Json) -> Keyword:
    return Keyword(name, {"type": "string", **keywords}, fits, fails, note=note)


def _number(
    name: str, fits: tuple[Json, ...], fails: tuple[Json, ...], kind: str = "integer", **more: Json
) -> Keyword:
    return Keyword(name, {"type": kind, **more}, fits, fails)


def _format(name: str, *fits: str, fails: tuple[str, ...] = ()) -> Keyword:
    return Keyword(f"format: {name}", {"type": "string", "format": name}, fits, fails)


_AB: Final = {"a": {"type": "integer"}, "b": {"type": "string"}}
_NODE: Final[Json] = {
    "type": "object",
    "properties": {"v": {"type": "string"}, "kids": {"type": "array", "items": {"$ref": "#/$defs/n"}}},
    "required": ["v"],
    "additionalProperties": False,
}
_LIST: Final = {
    "type": "object",
    "properties": {"next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}},
    "required": ["next"],
    "additionalProperties": False,
}
_TAGGED: Final = {
    "$defs": {
        "A": {
            "type": "object",
            "properties": {"t": {"const": "A"}, "v": {"type": "integer"}},
            "required": ["t", "v"],
            "additionalProperties": False,
        },
        "B": {
            "type": "object",
            "properties": {"t": {"const": "B"}},
            "required": ["t"],
            "additionalProperties": False,
        },
    },
    "oneOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}],
}

TYPES: Final = (
    Keyword("type", {"type": "null"}, (None,), (0, "null")),
    Keyword("type", {"type": "boolean"}, (True, False), (0, "true")),
    Keyword("type", {"type": "integer"}, (0, -7, 12), (1.5, "1", None)),
    Keyword("type", {"type": "number"}, (0, -7.25, 10**10), ("1", True)),
    Keyword("type", {"type": "string"}, ("", 'é\n"', "😀"), (1, None)),
    Keyword("type", {"type": "array"}, ([], [1, "a", None]), ({}, "[]")),
    Keyword("type", {"type": "object"}, ({}, {"a": {"b": [1]}}), ([], None)),
    Keyword("type (several)", {"type": ["string", "null"]}, ("a", None), (1, [])),
    Keyword("type (several)", {"type": ["string", "integer"], "minLength": 2, "minimum": 4}, ("ab", 4), ("a", 3)),
    Keyword("{}", {}, (None, 1, "a", [1], {"a": 1}), ()),
    Keyword(
        "title, description, default, examples, deprecated, $comment", {"title": "t", "default": 3}, (1, "x"), ()
    ),
    Keyword(
        "enum",
        {"enum": ["a", 2, None, True, [1], {"k": "v"}]},
        ("a", 2, None, True, [1], {"k": "v"}),
        ("b", False, 1),
    ),
    Keyword("enum", {"type": "integer", "enum": [1, 2, "x"]}, (1, 2), (3, "x")),
    Keyword("enum", {"type": "string", "enum": ["a", "bb", "cc"], "minLength": 2}, ("bb", "cc"), ("a",)),
    Keyword("const", {"const": "x"}, ("x",), ("y", None)),
    Keyword("const (object)", {"const": {"k": [1, {"b": None}]}}, ({"k": [1, {"b": None}]},), ({"k": []}, {})),
    Keyword("const (number over 2^53)", {"const": 2**53 + 1}, becomes=REFUSED, note="binary64 cannot tell it apart"),
    Keyword("const (DEL character)", {"const": "a\x7f"}, becomes=REFUSED, note="the decoder never writes U+007F"),
)

NUMBERS: Final = (
    _number("minimum", (3, 40), (2, -3), minimum=3),
    _number("maximum", (-3, -40), (-2, 5), maximum=-3),
    _number("exclusiveMinimum", (1, 10), (0, 11), exclusiveMinimum=0, maximum=10),
    _number("exclusiveMaximum", (9, -1), (10, 11), exclusiveMaximum=10),
    _number("minimum, maximum", (-5, 0, 5), (-6, 6), minimum=-5, maximum=5),
    _number("minimum, maximum (fractions)", (2, 7), (1, 8), minimum=1.5, maximum=7.2),
    _number("minimum", (0, 0.5, 90), (-0.5, -90), "number", minimum=0),
    _number("exclusiveMinimum", (0.5, 1), (0, -1), "number", exclusiveMinimum=0),
    _number("minimum, maximum", (-180, 0.25, 180), (-180.5, 181), "number", minimum=-180, maximum=180),
    _number("exclusiveMinimum, exclusiveMaximum", (0.5, 0.01), (0, 1, 1.5), "number", exclusiveMinimum=0, exclusiveMaximum=1),
    _number("exclusiveMaximum", (-0.75, -3), (-0.5, 0), "number", exclusiveMaximum=-0.5),
    _number("multipleOf", (10, 95), (11, 0.5), multipleOf=5, minimum=6, maximum=95),
    Keyword(
        "multipleOf", {"type": "number", "multipleOf": 4, "minimum": 0}, (0, 8), (2, 8.5), NARROWER,
        "written without a fraction",
    ),
    Keyword(
        "type: integer (large)", {"type": "integer", "minimum": -(2**63)}, (0, 1234567890123456789), (0.5,),
        NARROWER, "written up to ±9·10^18", (10**20,),
    ),
    Keyword(
        "type: number (large)", {"type": "number"}, (0, 123456789012345.25), (),
        NARROWER, "written without an exponent, up to ±10^15", (10**16,),
    ),
    Keyword(
        "minimum, maximum (over 2^53)", {"type": "integer", "maximum": 2**53 + 1}, (2**53,), (2**53 + 2,),
        NARROWER, "the bound moves inwards to one that binary64 holds", (2**53 + 1,),
    ),
    Keyword("multipleOf (fraction)", {"type": "number", "multipleOf": 0.01}, becomes=REFUSED, note="validators that divide in binary64 disagree"),
)  # fmt: skip

STRINGS: Final = (
    _string("minLength", ("ab", "é😀"), ("a", "😀"), minLength=2, note="counted in code points"),
    _string("maxLength", ("", "abc", "😀😀😀"), ("abcd",), maxLength=3),
    _string("minLength, maxLength", ("ab",), ("a", "abc"), minLength=2, maxLength=2),
    _string("pattern", ("abc",), ("", "aBc", "a\n"), pattern="^[a-z]+$"),
    _string("pattern (not anchored)", ("a", "xa", "b"), ("ca\n", "c"), pattern="a$|^b"),
    _string("pattern (anchors within groups)", ("a", "xa", "b"), ("ca\n", "c", "xb"), pattern="(a$|(^b))"),
    _string("pattern", ("555-1234",), ("5555-123", "555-12345"), pattern=r"^\d{3}-\d{4}$"),
    _string("pattern", ("a b", "-"), ("", " \t"), pattern=r"\S"),
    _string("pattern", ("#", "-"), ("a", "_", "1"), pattern=r"^\W$"),
    _string("pattern", ("#1a2B3c",), ("1a2b3c", "#12345"), pattern="^#[0-9a-fA-F]{6}$"),
    _string("pattern", ("/a", "/"), ("a/",), pattern="^/"),
    _string("pattern", ("AB",), ("AA",), pattern=r"^\u0041\x42$"),
    _string("pattern, minLength, maxLength", ("abc", "abcdef"), ("ab", "abcdefg", "ABC"), pattern="^[a-z]+$", minLength=3, maxLength=6),
    _format("date", "2024-02-29", "1999-12-31", fails=("2023-02-29", "2024-13-01", "x")),
    _format("time", "23:59:59Z", "00:00:00.5+01:00", fails=("24:00:00Z", "12:00:00")),
    _format("date-time", "2024-02-29T12:00:00Z", fails=("2024-02-30T12:00:00Z", "2024-02-29 12:00:00Z")),
    _format("duration", "P1Y2M3DT4H5M6S", "PT5M", "P2W", fails=("P", "PT", "1D")),
    _format("email", "a.b+c@example.com", fails=("a", "@b", "a@@b")),
    _format("hostname", "a-b.example.com", fails=("-a", "a..b", "")),
    _format("ipv4", "192.168.0.255", fails=("256.1.1.1", "1.2.3", "01.1.1.1")),
    _format("ipv6", "::1", "2001:db8::8:800:200c:417a", "1:2:3:4:5:6:7:8", fails=("1::2::3", "12345::", ":")),
    _format("uuid", "123e4567-e89b-12d3-a456-426614174000", fails=("123e4567", "g23e4567-e89b-12d3-a456-426614174000")),
    _format("uri", "https://example.com/a?b=c#d", "mailto:a@b.c", "urn:isbn:1", fails=("example.com", "http://a b", "")),
    _format("uri-reference", "/a/b", "../x?y", "https://a.b", fails=("a b", "\\")),
    _format("json-pointer", "", "/a/0/~1~0", fails=("a", "/~2")),
    _format("relative-json-pointer", "0", "1/a", "2#", fails=("/a", "-1")),
    Keyword("format: iri, idn-email, idn-hostname, uri-template, iri-reference", {"type": "string", "format": "iri"}, ("https://example.com/",), ("a b",), NARROWER, "ASCII only", ("https://例え.jp/",)),
    Keyword("format (any other name)", {"type": "string", "format": "markdown"}, ("# a", ""), (1,), note="asserts nothing, as the draft has it"),
    Keyword("format (of numbers)", {"type": "integer", "format": "int64"}, (1,), ("a",), note="asserts nothing"),
    Keyword("format: regex", {"type": "string", "format": "regex"}, becomes=REFUSED),
    Keyword("maxLength over 10,000", {"type": "string", "maxLength": 100_000}, ("a",), (1,), NARROWER, "at most 10,000 characters are written", ("a" * 10_001,)),
    Keyword("minLength over 10,000", {"type": "string", "minLength": 100_000}, becomes=REFUSED),
    Keyword("pattern: look-around", {"type": "string", "pattern": "^(?!a)b"}, becomes=REFUSED, note="as the API does; kept to on other tools, where it stands first"),
    Keyword("pattern: back-references", {"type": "string", "pattern": r"^(a)\1$"}, becomes=REFUSED),
    Keyword("pattern: word boundaries", {"type": "string", "pattern": r"\bab\b"}, becomes=REFUSED),
    Keyword("pattern: flags", {"type": "string", "pattern": "(?i)a"}, becomes=REFUSED),
    Keyword("pattern: anchors in the middle", {"type": "string", "pattern": "a$b"}, becomes=REFUSED),
    Keyword("pattern: over 1,000 repetitions", {"type": "string", "pattern": "^a{1,2000}$"}, becomes=REFUSED),
    Keyword("more than 5 patterns and formats on one string", {"allOf": [{"type": "string", "pattern": f"x{n}"} for n in range(6)]}, becomes=REFUSED),
)  # fmt: skip

ARRAYS: Final = (
    Keyword("items", {"type": "array", "items": {"type": "integer"}}, ([], [1, 2]), (["a"], [1, None])),
    Keyword("items: false", {"type": "array", "items": False}, ([],), ([1],)),
    Keyword("minItems", {"type": "array", "items": {"type": "boolean"}, "minItems": 2}, ([True, False],), ([], [True])),
    Keyword("maxItems", {"type": "array", "items": {"type": "boolean"}, "maxItems": 2}, ([], [True]), ([True] * 3,)),
    Keyword("prefixItems", {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "items": False}, ([], [1], [1, "a"]), (["a"], [1, "a", 2])),
    Keyword("prefixItems (without items)", {"type": "array", "prefixItems": [{"type": "integer"}]}, ([], [1]), (["a"],), NARROWER, "nothing behind the named items", ([1, 2],)),
    Keyword("prefixItems, items, minItems", {"type": "array", "prefixItems": [{"type": "integer"}], "items": {"type": "null"}, "minItems": 3}, ([1, None, None],), ([1, None], [1, 1, 1])),
    Keyword("unevaluatedItems: false", {"type": "array", "prefixItems": [{"type": "integer"}], "unevaluatedItems": False}, ([1],), ([1, 2],)),
    Keyword("uniqueItems: false", {"type": "array", "items": {"type": "integer"}, "uniqueItems": False}, ([1, 1],), (["a"],)),
    Keyword("uniqueItems, maxItems: 1", {"type": "array", "items": {"type": "integer"}, "uniqueItems": True, "maxItems": 1}, ([], [1]), ([1, 2],)),
    Keyword("uniqueItems", {"type": "array", "uniqueItems": True}, becomes=REFUSED),
    Keyword("contains, minContains, maxContains", {"type": "array", "contains": {"const": 1}}, becomes=REFUSED),
    Keyword("minItems, maxItems over 256", {"type": "array", "maxItems": 1000}, becomes=REFUSED),
)  # fmt: skip

_OPEN: Final = {"type": "object", "properties": {"a": {"type": "integer"}}}
OBJECTS: Final = (
    Keyword("properties, additionalProperties: false", {"type": "object", "properties": _AB, "additionalProperties": False}, ({}, {"a": 1}, {"a": 1, "b": "x"}), ({"a": "x"}, {"c": 1})),
    Keyword("properties (without additionalProperties)", {"type": "object", "properties": _AB}, ({}, {"a": 1, "b": ""}), ({"a": "x"},), NARROWER, "only the named properties are written", ({"c": 1},)),
    Keyword("required", {"type": "object", "properties": _AB, "required": ["b"]}, ({"b": "x"}, {"b": "x", "a": 1}), ({}, {"a": 1}), note="required properties come first, each group in the client's order"),
    Keyword("required (not among properties)", {"type": "object", "required": ["u"]}, ({"u": 1},), ({}, {"v": 1})),
    Keyword("additionalProperties: true", {**_OPEN, "additionalProperties": True}, ({"a": 1, "z": [None]}, {"z": 1}), ({"a": "x"},)),
    Keyword("additionalProperties (schema)", {**_OPEN, "additionalProperties": {"type": "string"}}, ({"a": 1, "ab": "x"},), ({"a": "x"}, {"b": 1}), note="a named key spelled with escapes is still the named key"),
    Keyword("additionalProperties (map)", {"type": "object", "additionalProperties": {"type": "integer"}}, ({}, {"x": 1, "": 2}), ({"x": "1"},)),
    Keyword("patternProperties", {"type": "object", "patternProperties": {"^x-": {"type": "integer"}, "^y-": {"type": "null"}}, "additionalProperties": False}, ({"x-a": 1, "y-": None},), ({"x-a": None}, {"z": 1})),
    Keyword("patternProperties, properties", {"type": "object", "patternProperties": {"^x-": {"type": "integer"}}, "properties": {"x-a": {"minimum": 5, "type": "integer"}}, "additionalProperties": False}, ({"x-a": 6, "x-b": 1},), ({"x-a": 4},)),
    Keyword("patternProperties (without additionalProperties: false)", {"type": "object", "patternProperties": {"^x": {"type": "integer"}}}, ({"x": 1},), ({"x": "a"},), NARROWER, "only keys of the patterns are written", ({"z": 1},)),
    Keyword("patternProperties (patterns with common keys)", {"type": "object", "patternProperties": {"a": {"type": "string"}, "b": {"type": "integer"}}}, becomes=REFUSED),
    Keyword("propertyNames (type: string)", {"type": "object", "propertyNames": {"type": "string"}, "additionalProperties": {"type": "number"}}, ({"k": 1.5},), ({"k": "x"},)),
    Keyword("propertyNames (enum)", {"type": "object", "propertyNames": {"enum": ["p", "q"]}, "additionalProperties": {"type": "integer"}}, ({}, {"p": 1, "q": 2}), ({"r": 1}, {"p": "x"})),
    Keyword("propertyNames (pattern)", {"type": "object", "propertyNames": {"pattern": "^[a-z]{1,3}$"}, "additionalProperties": {"type": "integer"}}, ({"abc": 1},), ({"abcd": 1}, {"A": 1})),
    Keyword("propertyNames (lengths)", {"type": "object", "propertyNames": {"minLength": 2, "maxLength": 3}}, ({"ab": 1},), ({"a": 1}, {"abcd": 1})),
    Keyword("propertyNames: false", {"type": "object", "propertyNames": False}, ({},), ({"a": 1},)),
    Keyword("minProperties: 1", {"type": "object", "properties": _AB, "minProperties": 1, "additionalProperties": False}, ({"a": 1}, {"a": 1, "b": ""}), ({},)),
    Keyword("maxProperties: 1", {"type": "object", "properties": _AB, "maxProperties": 1, "additionalProperties": False}, ({}, {"a": 1}), ({"a": 1, "b": ""},)),
    Keyword("minProperties, maxProperties (map)", {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 1, "maxProperties": 2}, ({"a": 1}, {"a": 1, "b": 2}), ({}, {"a": 1, "b": 2, "c": 3})),
    Keyword("minProperties (two or more keys of a map)", {"type": "object", "minProperties": 2}, becomes=REFUSED, note="keys could repeat"),
    Keyword("maxProperties (some of the optional ones)", {"type": "object", "properties": {"a": {}, "b": {}, "c": {}}, "maxProperties": 2}, becomes=REFUSED),
    Keyword("dependentRequired", {"type": "object", "properties": _AB, "dependentRequired": {"a": ["b"]}, "additionalProperties": False}, ({}, {"b": "x"}, {"a": 1, "b": "x"}), ({"a": 1},)),
    Keyword("dependentSchemas", {"type": "object", "properties": {"a": {}}, "dependentSchemas": {"a": {"required": ["b"], "properties": {"b": {"type": "string"}}}}}, ({}, {"a": 1, "b": "x"}), ({"a": 1}, {"a": 1, "b": 1})),
    Keyword("unevaluatedProperties: false", {"type": "object", "allOf": [{"properties": _AB}], "properties": {"c": {"type": "null"}}, "unevaluatedProperties": False}, ({"c": None, "a": 1},), ({"d": 1},)),
    Keyword("unevaluatedProperties (schema)", {**_OPEN, "unevaluatedProperties": {"type": "null"}}, ({"a": 1, "z": None},), ({"z": 1},)),
)  # fmt: skip

APPLICATORS: Final = (
    Keyword("anyOf", {"anyOf": [{"type": "string"}, {"type": "integer"}]}, ("a", 1), (None, 1.5)),
    Keyword("anyOf (beside properties)", {"type": "object", "properties": _AB, "anyOf": [{"required": ["a"]}, {"required": ["b"]}], "additionalProperties": False}, ({"a": 1}, {"b": "x"}, {"a": 1, "b": "x"}), ({},)),
    Keyword("allOf", {"allOf": [{"type": "string", "minLength": 2}, {"maxLength": 4}]}, ("ab", "abcd"), ("a", "abcde", 5)),
    Keyword("allOf (objects)", {"allOf": [{"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}, {"properties": {"a": {"minimum": 3}, "b": {"type": "string"}}}]}, ({"a": 3}, {"a": 4, "b": "x"}), ({"a": 2}, {"b": "x"})),
    Keyword("allOf (closed object)", {"allOf": [{"properties": {"a": {"type": "integer"}}, "additionalProperties": False}, {"properties": {"b": {"type": "integer"}}}], "type": "object"}, ({}, {"a": 1}), ({"b": 1},)),
    Keyword("oneOf (of different types)", {"oneOf": [{"type": "string"}, {"type": "integer"}]}, ("a", 1), (None, True)),
    Keyword("oneOf (ranges apart)", {"oneOf": [{"type": "integer", "maximum": 3}, {"type": "integer", "minimum": 5}]}, (3, 5), (4,)),
    Keyword("oneOf (a required const in each)", _TAGGED, ({"t": "A", "v": 1}, {"t": "B"}), ({"t": "A"}, {"t": "C"}, {"t": "B", "v": 1})),
    Keyword("oneOf (branches that may overlap)", {"oneOf": [{"type": "string"}, {"type": "string", "minLength": 3}]}, becomes=REFUSED),
    Keyword("not", {"not": {"type": "string"}}, becomes=REFUSED),
    Keyword("if, then, else", {"type": "object", "if": {"required": ["a"]}, "then": {"required": ["b"]}}, becomes=REFUSED),
    Keyword("if (alone)", {"type": "boolean", "if": {"const": True}}, (True, False), (1,), note="asserts nothing"),
    Keyword("$ref, $defs", {"type": "array", "items": {"$ref": "#/$defs/t"}, "$defs": {"t": {"type": "null"}}}, ([None],), ([1],)),
    Keyword("$ref (beside other keywords)", {"$ref": "#/$defs/t", "maximum": 5, "$defs": {"t": {"type": "integer", "minimum": 3}}}, (3, 5), (2, 6)),
    Keyword("$ref (escaped pointer)", {"$ref": "#/definitions/a~1b%25", "definitions": {"a/b%": {"type": "integer"}}}, (1,), ("a",)),
    Keyword("$anchor", {"$ref": "#here", "$defs": {"x": {"$anchor": "here", "type": "boolean"}}}, (True,), (1,)),
    Keyword("$id (of the root)", {"$id": "https://example.com/s", "$ref": "https://example.com/s#/$defs/z", "$defs": {"z": {"type": "null"}}}, (None,), (1,)),
    Keyword("$ref (recursive)", {"$ref": "#/$defs/n", "$defs": {"n": _NODE}}, ({"v": "a"}, {"v": "a", "kids": [{"v": "b"}]}), ({}, {"v": "a", "kids": [1]})),
    Keyword("$ref (recursive)", _LIST, ({"next": None}, {"next": {"next": None}}), ({}, {"next": 1})),
    Keyword("$ref (without an end)", {"type": "object", "properties": {"c": {"$ref": "#"}}, "required": ["c"]}, becomes=REFUSED),
    Keyword("$ref (to itself)", {"$ref": "#/$defs/n", "$defs": {"n": {"$ref": "#/$defs/n"}}}, becomes=REFUSED),
    Keyword("$ref (external)", {"$ref": "https://example.com/other.json"}, becomes=REFUSED),
    Keyword("$dynamicRef", {"$dynamicRef": "#a"}, becomes=REFUSED),
    Keyword("$id (inside)", {"type": "array", "items": {"$id": "https://example.com/i", "type": "null"}}, becomes=REFUSED),
    Keyword("$schema (another draft)", {"$schema": "http://json-schema.org/draft-07/schema#", "type": "array", "prefixItems": [{"type": "integer"}], "items": False}, ([1],), (["a"],), note="read as draft 2020-12"),
    Keyword("no value at all", {"type": "integer", "minimum": 4, "maximum": 2}, becomes=REFUSED),
)  # fmt: skip

KEYWORDS: Final = (*TYPES, *NUMBERS, *STRINGS, *ARRAYS, *OBJECTS, *APPLICATORS)


def placed(schema: Json) -> Iterator[tuple[str, Json]]:
    """The schema where clients put schemas: a parameter, an item, behind a reference, …"""
    yield "root", schema
    if not schema.keys().isdisjoint(("$ref", "$defs", "definitions", "$id", "$schema")):
        return
    yield (
        "required property",
        {"type": "object", "properties": {"q": {"type": "boolean"}, "p": schema}, "required": ["p"]},
    )
    yield "optional property", {"type": "object", "properties": {"p": schema, "q": {"type": "null"}}}
    yield "item", {"type": "array", "items": schema, "maxItems": 2}
    yield "nullable", {"anyOf": [schema, {"type": "null"}]}
    yield (
        "reference",
        {
            "type": "object",
            "properties": {
                "p": {"$ref": "#/$defs/t", "description": "d"},
                "r": {"type": "array", "items": {"$ref": "#/$defs/t"}},
            },
            "required": ["p"],
            "$defs": {"t": schema},
        },
    )
    yield (
        "allOf of one",
        {"type": "object", "properties": {"p": {"allOf": [schema], "default": None}}, "required": ["p"]},
    )
    yield "map", {"type": "object", "additionalProperties": schema, "maxProperties": 2}
