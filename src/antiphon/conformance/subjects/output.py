"""Structured outputs: replies that keep to a schema, whatever the model."""

import json
from typing import Any, Final

from antiphon.conformance.api import Api, says
from antiphon.conformance.check import Failed, Row, Subject, dictionary, expect
from antiphon.conformance.events import texts
from antiphon.conformance.subjects.tools import calls
from antiphon.conformance.subjects.words import FORCED, PROBE, user

SUBJECT: Final = Subject("structured_outputs", "Structured outputs", needs="structured_outputs")
check = SUBJECT.check
SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"colour": {"type": "string", "enum": ["red", "green"]}},
    "required": ["colour"],
    "additionalProperties": False,
}
SHAPED: Final[dict[str, Any]] = {
    **user("Name a colour as JSON."),
    "max_tokens": 200,
    "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
}


@check("json", "A reply of a given format is JSON.")
def _(api: Api) -> None:
    parsed(says(api.said(SHAPED)))


@check("schema", "A reply of a given format keeps to its schema.")
def _(api: Api) -> None:
    value = parsed(says(api.said(SHAPED)))
    expect(set(value) == {"colour"} and value["colour"] in ("red", "green"), f"it is {value}")


@check("streamed", "A stream of a given format adds up to JSON.")
def _(api: Api) -> None:
    parsed(texts(api.heard(SHAPED)))


@check(
    "strict-tool",
    "The input of a strict tool keeps to its schema.",
    source="Structured outputs: Strict tool use",
    needs="forced_tools",
)
def _(api: Api) -> None:
    calls(api)
    strict = {**FORCED, "tools": [{**PROBE, "strict": True, "input_schema": SCHEMA}]}
    found = [block for block in api.said(strict)["content"] if block.get("type") == "tool_use"]
    expect(bool(found), "there is no call")
    for call in found:
        expect(call["input"] in ({"colour": "red"}, {"colour": "green"}), f"the input is {call['input']}")


_WRONG: Final[tuple[Row, ...]] = (
    ("kind", "An unknown kind of format is refused.", {"type": "poem", "schema": SCHEMA}),
    ("no-schema", "A format without its schema is refused.", {"type": "json_schema"}),
    ("schema-type", "A format's schema that is no object is refused.", {"type": "json_schema", "schema": "object"}),
    (
        "closed",
        "An object of a format that does not say additionalProperties: false is refused.",
        {"type": "json_schema", "schema": {"type": "object", "properties": {}}},
    ),
)
for _name, _sentence, _format in _WRONG:
    SUBJECT.refuses(f"refused-{_name}", _sentence, {"output_config": {"format": _format}})


def parsed(text: str) -> dict[str, Any]:
    """The object that a text is."""
    try:
        return dictionary(json.loads(text))
    except ValueError:
        raise Failed(f"the text is no JSON: {text[:200]!r}") from None
