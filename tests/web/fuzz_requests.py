"""Eleven requests that nothing is wrong with, for the fuzzer to break: one for each part of the road to a reply."""

from collections.abc import Mapping
from typing import Any

from tests.wire.samples import BLOCKS

Json = dict[str, Any]

OWN, VENDOR = "scripted", "claude-sonnet-4-5-20250929"

TEXT: Json = {"type": "text", "text": "Look at this."}
SCHEMA: Json = {
    "type": "object",
    "description": "A person.",
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z]+$"},
        "age": {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}]},
        "kind": {"enum": ["a", "b", 1, None]},
        "tags": {"type": "array", "items": {"$ref": "#/$defs/tag"}, "minItems": 1, "maxItems": 4},
        "more": {"oneOf": [{"type": "string", "format": "date"}, {"type": "number", "multipleOf": 2}]},
    },
    "required": ["name", "age"],
    "additionalProperties": False,
    "$defs": {"tag": {"type": ["string", "boolean"], "const": "x"}},
}
PLAIN_SCHEMA: Json = {
    "type": "object",
    "properties": {
        "place": {"type": "string", "format": "date"},
        "days": {"type": "array", "items": {"type": "integer"}},
    },
    "required": ["place"],
    "additionalProperties": False,
}
LOOK: Json = {
    "name": "look",
    "description": "Looks.",
    "input_schema": SCHEMA,
    "input_examples": [{"name": "a", "age": 1}],
}
WEATHER: Json = {"type": "custom", "name": "weather", "input_schema": PLAIN_SCHEMA, "strict": True}


def _user(*blocks: Json) -> Json:
    return {"role": "user", "content": list(blocks) or "Hello"}


def _assistant(*blocks: Json) -> Json:
    return {"role": "assistant", "content": list(blocks)}


def _call(id: str, name: str = "look", **arguments: Any) -> Json:  # noqa: A002
    return {"type": "tool_use", "id": id, "name": name, "input": arguments or {"name": "a", "age": {"b": [1, None]}}}


def _result(id: str, content: Any, **more: Any) -> Json:  # noqa: A002
    return {"type": "tool_result", "tool_use_id": id, "content": content, **more}


def _request(*messages: Json, model: str = OWN, **more: Any) -> Json:
    return {"model": model, "max_tokens": 60, "messages": list(messages) or [_user()], **more}


HIT: Json = {"type": "search_result", "source": "https://a", "title": "A", "content": [TEXT]}
PAPER: Json = {
    "type": "document",
    "source": {"type": "text", "media_type": "text/plain", "data": "Words."},
    "title": "P",
}
THINKING: Json = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}
SEARCHED: Json = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "cats"}}

REQUESTS: Mapping[str, Json] = {
    "plain": _request(
        model=VENDOR,
        system=[{**TEXT, "cache_control": {"type": "ephemeral"}}],
        stop_sequences=["END"],
        temperature=0.5,
        metadata={"user_id": "a"},
        stream=True,
    ),
    "sampled, own model": _request(_user(TEXT), _assistant(TEXT), top_k=3, top_p=0.9, temperature=1, system="Be brief."),
    "tools": _request(
        _user(TEXT),
        _assistant(TEXT, _call("toolu_1"), _call("toolu_2")),
        _user(_result("toolu_1", "no", is_error=True), _result("toolu_2", [TEXT, BLOCKS["image, base64"]])),
        tools=[LOOK, WEATHER],
        tool_choice={"type": "any", "disable_parallel_tool_use": True},
    ),
    "strict tools": _request(
        model=VENDOR, tools=[WEATHER, {**LOOK, "strict": False}], tool_choice={"type": "tool", "name": "weather"}
    ),
    "format": _request(model=VENDOR, output_config={"format": {"type": "json_schema", "schema": PLAIN_SCHEMA}}),
    "wide format": _request(
        output_config={"format": {"type": "json_schema", "schema": SCHEMA}, "effort": "low"}, stream=True
    ),
    "documents": _request(
        _user(TEXT, PAPER, HIT), _assistant(TEXT), _user({**PAPER, "source": {"type": "content", "content": "Words."}})
    ),
    "thinking": _request(
        _user(TEXT),
        _assistant(THINKING, _call("toolu_1")),
        _user(_result("toolu_1", [HIT])),
        model="claude-opus-4-5-20251101",
        max_tokens=3000,
        thinking={"type": "enabled", "budget_tokens": 1024, "display": "omitted"},
        tools=[LOOK],
        context_management={"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
    ),
    "server tools": _request(
        _user(TEXT),
        _assistant(SEARCHED, {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}, TEXT),
        _user(TEXT),
        model=VENDOR,
        tools=[{"type": "web_search_20250305", "name": "web_search", "max_uses": 2}, {"type": "bash_20250124", "name": "bash"}],
    ),
    "changes on the way": _request(
        _user(TEXT),
        _assistant(TEXT),
        {"role": "system", "output_config": {"effort": "high"}, "content": []},
        _user(TEXT),
        {"role": "system", "content": [TEXT, {"type": "tool_removal", "tool": {"type": "tool_reference", "name": "look"}}]},
        model="claude-opus-4-8",
        tools=[LOOK, WEATHER, {**LOOK, "name": "late", "defer_loading": True}],
        compaction={"type": "summarize"},
    ),
    "fallbacks": _request(
        _user(TEXT),
        _assistant({"type": "fallback", "from": {"model": "a"}, "to": {"model": "b"}, "trigger": None}, TEXT),
        _user(TEXT),
        model="claude-opus-4-8",
        fallbacks=[
            {"model": VENDOR, "max_tokens": 9, "output_config": None, "thinking": {"type": "disabled"}, "speed": None},
            {"model": OWN, "thinking": None, "output_config": {"effort": "low", "format": None}},
        ],
        output_config={"effort": "high", "format": {"type": "json_schema", "schema": PLAIN_SCHEMA}},
    ),
}  # fmt: skip
"""By name. The signatures of thoughts are nobody's."""
