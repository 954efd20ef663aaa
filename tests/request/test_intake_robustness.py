"""Whatever a client sends, there is a request or exactly one error; and no input makes it slow or large."""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from antiphon.errors import InvalidRequest
from antiphon.request import intake
from antiphon.request.intake import parse_count, parse_create
from antiphon.request.wording import first_problem
from antiphon.wire.base import MOST_NESTED, OwnTools, WireContext
from antiphon.wire.gates import LOCKED_TAGS
from antiphon.wire.headers import KNOWN_BETAS
from tests.wire.requests import accepted, body, children, headers, holding, refused
from tests.wire.samples import BETA_BLOCKS, BLOCKS
from tests.wire.tool_samples import BETA_FIELDS, BETA_TOOLS, FIELDS, TOOLS

EVERYTHING = body(
    **{key: values[-1] for key, values in FIELDS.items()},
    **{key: value for key, value, _ in BETA_FIELDS},
) | {
    "messages": holding(*BLOCKS.values(), *(block for block, _ in BETA_BLOCKS.values())),
    "tools": [*TOOLS.values(), *(tool for tool, _ in BETA_TOOLS.values())],
}

ALL_BETAS = KNOWN_BETAS - {"fine-grained-tool-streaming-2025-05-14"}

Path = tuple[str | int, ...]


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """Every place in a JSON value but the top."""
    for key, inner in children(value):
        yield (*path, key)
        yield from places(inner, (*path, key))


PLACES = list(places(EVERYTHING))

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**25), 10**25)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "a", "content", "id"]), inner, max_size=3)
    ),
    max_leaves=6,
)

CONTEXTS = st.builds(
    WireContext,
    st.sampled_from(["2023-06-01", "2026-10-21"]),
    st.sampled_from([frozenset[str](), ALL_BETAS]) | st.frozensets(st.sampled_from(sorted(KNOWN_BETAS)), max_size=8),
)


def mutated(where: Path, how: str, new: Any) -> Any:
    request = copy.deepcopy(EVERYTHING)
    target: Any = request
    for part in where[:-1]:
        target = target[part]
    if how == "drop":
        del target[where[-1]]
    elif how == "add" and isinstance(target[where[-1]], dict):
        target[where[-1]]["unheard_of"] = new
    else:
        target[where[-1]] = new
    return request


@pytest.mark.promise("intake.one-error")
def test_the_request_that_is_mutated_is_valid():
    accepted(EVERYTHING, WireContext("2023-06-01", ALL_BETAS))


@pytest.mark.promise("intake.one-error")
@settings(max_examples=400)
@given(st.sampled_from(PLACES), st.sampled_from(["drop", "add", "replace"]), JSON, CONTEXTS)
def test_a_changed_request_is_accepted_or_refused_with_one_message(
    where: Path, how: str, new: Any, context: WireContext
):
    text = json.dumps(mutated(where, how, new)).encode()
    for parse in (parse_create, parse_count):
        problem = refusal(parse, text, context)
        assert problem is None or (problem.status == 400 and problem.message and "\n" not in problem.message)


def refusal(
    parse: Callable[[bytes, WireContext], object], text: bytes, context: WireContext
) -> InvalidRequest | None:
    try:
        parse(text, context)
    except InvalidRequest as problem:
        return problem
    return None


@pytest.mark.promise("intake.one-error")
@settings(max_examples=200)
@given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()), CONTEXTS)
def test_any_bytes_are_refused_with_one_message(text: bytes, context: WireContext):
    with pytest.raises(InvalidRequest):
        parse_create(text, context)


def nested(depth: int, kind: str = "list") -> Any:
    value: Any = None
    for _ in range(depth):
        value = [value] if kind == "list" else {"type": "object", "properties": {"a": value or True}}
    return value


TOO_DEEP = f"Input should be nested at most {MOST_NESTED} levels deep"

OWN_JSON: dict[str, tuple[Callable[[Any], dict[str, Any]], str]] = {
    "an input": (
        lambda value: body(messages=holding({"type": "tool_use", "id": "a", "name": "a", "input": value})),
        "messages.0.content.0.tool_use.input",
    ),
    "the input of a server tool": (
        lambda value: body(
            messages=holding({"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": value})
        ),
        "messages.0.content.0.server_tool_use.input",
    ),
    "a schema": (
        lambda value: body(tools=[{"name": "a", "input_schema": {"type": "object", "default": value["a"]}}]),
        "tools.0.custom.input_schema",
    ),
    "an example": (
        lambda value: body(tools=[{"name": "a", "input_schema": {"type": "object"}, "input_examples": [value]}]),
        "tools.0.custom.input_examples.0",
    ),
    "a format": (
        lambda value: body(output_config={"format": {"type": "json_schema", "schema": value}}),
        "output_config.format.schema",
    ),
}


@pytest.mark.promise("intake.nesting")
@pytest.mark.parametrize("place", OWN_JSON)
def test_the_clients_own_json_may_be_nested_to_a_limit_and_no_deeper(place: str):
    make, path = OWN_JSON[place]
    accepted(make({"a": nested(MOST_NESTED - 1)}))
    for depth in (MOST_NESTED, 400, 900):
        assert refused(make({"a": nested(depth)})) == f"{path}: {TOO_DEEP}"
        assert refused(make({"a": {"a": nested(depth - 1)}})) == f"{path}: {TOO_DEEP}"


@pytest.mark.promise("intake.nesting")
def test_what_a_tool_of_the_owners_answered_may_be_nested_no_deeper():
    own = WireContext(own=OwnTools(results=frozenset({"own_tool_result"})))

    def request(depth: int) -> dict[str, Any]:
        answer = {"type": "own_tool_result", "tool_use_id": "a", "content": nested(depth)}
        return body(messages=holding(answer, role="assistant"))

    accepted(request(MOST_NESTED), own)
    accepted(body(messages=holding({"type": "own_tool_result", "tool_use_id": "a", "content": "b"})), own)
    assert refused(request(MOST_NESTED + 1), own).endswith(TOO_DEEP)


@pytest.mark.promise("intake.hostile")
@pytest.mark.parametrize("key", ["messages", "system", "thinking", "metadata", "container", "tool_choice"])
def test_deep_nesting_is_refused_everywhere_else(key: str):
    refused(body(**{key: nested(900)}))


@pytest.mark.promise("intake.hostile")
def test_huge_numbers_are_refused_or_kept_and_never_crash():
    accepted(body(messages=holding({"type": "tool_use", "id": "a", "name": "a", "input": {"a": 10**300}})))
    accepted(body(tools=[{"name": "a", "input_schema": {"type": "object", "maxProperties": 10**300}}]))
    assert refused(body(max_tokens=10**300)) == "max_tokens: Input should be a valid integer"
    assert refused(body(temperature=10**300)) == "temperature: range: 0..1"


@pytest.mark.promise("intake.hostile")
def test_a_long_name_does_not_make_a_long_error():
    assert refused(body(**{"k" * 100_000: 1})) == f"{'k' * 256}…: Extra inputs are not permitted"
    assert len(refused(body(messages=holding({"type": "t" * 100_000})))) < 1_500


def unknown_keys(count: int) -> str:
    return ",".join(f'"k{n}":1' for n in range(count))


HOSTILE: dict[str, tuple[Callable[[], str], str]] = {
    "unknown keys": (
        lambda: '{"model":"m","max_tokens":1,"messages":[],' + unknown_keys(1_000_000) + "}",
        "k0: Extra inputs are not permitted",
    ),
    "unknown keys before a known one": (
        lambda: (
            '{"messages":[{"role":"user","content":[{' + unknown_keys(1_000_000) + ',"type":"text"}]}],"model":"m"}'
        ),
        "messages.0.content.0.text.text: Field required",
    ),
    "a long array of nothing": (
        lambda: '{"model":"m","messages":[' + "1," * 5_000_000 + "1]}",
        "messages.0: Input should be an object",
    ),
    "many tools without a schema": (
        lambda: '{"model":"m","tools":[' + '{"name":"a"},' * 500_000 + "1]}",
        "tools.0.custom.input_schema: Field required",
    ),
    "a long text where an address is looked for": (
        lambda: '{"model":"m","messages":[],"max_tokens":1,"metadata":{"user_id":"' + "a" * 10_000_000 + '@b.c"}}',
        "metadata.user_id: user_id appears to contain an email address",
    ),
}
"""Bodies, made when they are asked for: all processes of the tests read this module."""


# A million problems, each written out with its path, take ten seconds; counting them says the same on any machine.
@pytest.mark.promise("intake.hostile")
@pytest.mark.parametrize("name", HOSTILE)
def test_of_very_many_problems_few_are_written_out(name: str, monkeypatch: pytest.MonkeyPatch):
    text, message = HOSTILE[name]
    written_out: list[int] = []

    def counted(error: ValidationError, context: WireContext) -> str:
        written_out.append(error.error_count())
        return first_problem(error, context)

    monkeypatch.setattr(intake, "first_problem", counted)
    problem = refusal(parse_create, text().encode(), headers())
    assert problem is not None
    assert problem.message == message
    assert len(written_out) == 1
    assert written_out[0] <= 1_000


@pytest.mark.promise("intake.hostile")
def test_the_first_of_many_problems_is_found_where_every_key_is_the_clients_own():
    configs = {f"tool_{n}": {"enabled": n != 1500 or "no"} for n in range(2000)} | {f"z{n}": 1 for n in range(2000)}
    toolset = {"type": "mcp_toolset", "mcp_server_name": "s", "configs": configs}
    message = refused(body(tools=[toolset]), headers("mcp-client-2025-11-20"))
    assert message == "tools.0.mcp_toolset.configs.tool_1500.enabled: Input should be a valid boolean"


def test_every_locked_tag_has_a_sample():
    tags = {block["type"] for block, _ in BETA_BLOCKS.values()} | {tool["type"] for tool, _ in BETA_TOOLS.values()}
    edits = {"clear_thinking_20251015", "clear_tool_uses_20250919", "compact_20260112"}
    assert set(LOCKED_TAGS) == tags | edits | {"tool_definition"}
