"""Clients' schemas as they stand behind `%json` in a grammar, and how their JSON is spelled.

The decoder would let a model write any amount of white space between tokens, and small models have been seen to do so
without end; the JSON is spelled on one line instead, with one space behind each comma and colon, as `json.dumps` and
the chat templates write it. The options are those that every release of llguidance reads alike.

Source: llguidance, docs/json_schema.md.
"""

from collections.abc import Mapping
from typing import Any, Final

from antiphon.schema import LARGEST, judge

SPELLING: Final = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
"""The decoder's options; they count at the root of a schema only."""


def compilable(schema: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The schema as it goes behind `%json`, None when it cannot be guaranteed whole.

    Every text that the grammar allows is JSON that the client's schema allows. Required properties come first, then
    optional ones, each in the client's order. Do not change it: it is shared.
    """
    judgement = judge(schema)
    return None if judgement.problem is not None else _spelled(judgement.form)


def problem(schema: Mapping[str, Any]) -> str | None:
    """What of the schema cannot be guaranteed: place, keyword, reason; None when all of it can."""
    found = judge(schema).problem
    return None if found is None else str(found)


def lost(schema: Mapping[str, Any]) -> str | None:
    """What of the schema `relaxed` does without: place, keyword, reason; None when it keeps all of it."""
    found = judge(schema, required_first=False).lost
    return None if found is None else str(found)


def relaxed(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The nearest schema that compiles: what cannot be guaranteed is left out where it stands. Never raises."""
    return _spelled(judge(schema, required_first=False).form)


def has_own_bounds(form: Mapping[str, Any]) -> bool:
    """Whether the client bounds these numbers. Every compiled number has bounds, so that it can be read back."""
    if not form.keys().isdisjoint(("exclusiveMinimum", "exclusiveMaximum", "multipleOf")):
        return True
    usual = LARGEST.get(form.get("type", ""))
    return usual is not None and (form.get("minimum"), form.get("maximum")) != (-usual, usual)


def _spelled(form: Mapping[str, Any]) -> Mapping[str, Any]:
    reference: str | None = form.get("$ref")
    if reference is not None:
        # A root that recurs is told in place, so that its parameters can be seen.
        form = {**form["$defs"][reference.removeprefix("#/$defs/")], "$defs": form["$defs"]}
    return {**form, "x-guidance": SPELLING}
