"""Values are taken as they are: no conversions, no nulls where the API has none, and the first problem only."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from antiphon.errors import InvalidRequest
from antiphon.request.intake import parse_count, parse_create
from tests.wire.requests import LEAVE_OUT, accepted, body, children, headers, holding, refused
from tests.wire.samples import BETA_BLOCKS, BLOCKS, TEXT, Json
from tests.wire.tool_samples import BETA_FIELDS, BETA_TOOLS, FIELDS, TOOLS

WRONG_KINDS: list[tuple[str, Any, str]] = [
    ("max_tokens", True, "valid integer"),
    ("max_tokens", "5", "valid integer"),
    ("max_tokens", 5.0, "valid integer"),
    ("max_tokens", None, "valid integer"),
    ("max_tokens", 10**30, "valid integer"),
    ("top_k", False, "valid integer"),
    ("top_k", 5.0, "valid integer"),
    ("temperature", True, "valid number"),
    ("temperature", "0.5", "valid number"),
    ("temperature", None, "valid number"),
    ("stream", 1, "valid boolean"),
    ("stream", "true", "valid boolean"),
    ("stream", None, "valid boolean"),
    ("model", None, "valid string"),
    ("system", None, "valid array"),
    ("tools", None, "valid array"),
    ("stop_sequences", None, "valid array"),
    ("tool_choice", None, "object"),
    ("thinking", None, "object"),
]


@pytest.mark.promise("intake.strict-kinds")
@pytest.mark.parametrize(("key", "value", "kind"), WRONG_KINDS)
def test_a_value_of_another_kind_is_not_converted(key: str, value: Any, kind: str):
    article = "an" if kind == "object" else "a"
    assert refused(body(**{key: value})) == f"{key}: Input should be {article} {kind}"


@pytest.mark.promise("intake.strict-kinds")
@pytest.mark.parametrize(
    ("block", "message"),
    [
        pytest.param(
            {"type": "tool_result", "tool_use_id": "a", "is_error": "false"},
            "tool_result.is_error: Input should be a valid boolean",
            id="a string for a boolean",
        ),
        pytest.param(
            {"type": "tool_result", "tool_use_id": 5},
            "tool_result.tool_use_id: Input should be a valid string",
            id="a number for a string",
        ),
        pytest.param(
            {"type": "text", "text": "a", "citations": {}},
            "text.citations: Input should be a valid array",
            id="an object for an array",
        ),
        pytest.param(
            {"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text"}]},
            "tool_result.content.0.text.text: Field required",
            id="a missing key inside a result",
        ),
        pytest.param(
            {"type": "search_result", "source": "s", "title": "t", "content": [{"type": "image"}]},
            "search_result.content.0.type: Input should be 'text'",
            id="a foreign block in a search result",
        ),
    ],
)
def test_a_wrong_kind_inside_a_block_is_named_by_its_full_path(block: Json, message: str):
    assert refused(body(messages=holding(block))) == f"messages.0.content.0.{message}"


IN_ORDER: list[tuple[str, Any]] = [
    ("model", 5),
    ("tool_choice", 5),
    ("tools", 5),
    ("messages", 5),
    ("system", 5),
    ("thinking", 5),
    ("output_config", 5),
    ("cache_control", 5),
    ("max_tokens", "5"),
    ("metadata", 5),
    ("stop_sequences", 5),
    ("temperature", "5"),
    ("service_tier", 5),
    ("top_k", "5"),
    ("top_p", "5"),
    ("stream", 5),
    ("container", 5),
    ("inference_geo", 5),
    ("speed", 5),
    ("diagnostics", 5),
    ("an_unknown_key", 5),
]


@pytest.mark.promise("intake.first-problem")
@pytest.mark.parametrize("first", range(len(IN_ORDER)))
def test_of_several_problems_the_first_in_the_measured_order_is_reported(first: int):
    wrong = dict(reversed(IN_ORDER[first:]))
    key = IN_ORDER[first][0]
    assert refused({**body(), **wrong}).split(":")[0].split(".")[0] == key


@pytest.mark.promise("intake.first-problem")
@pytest.mark.parametrize("key", ["model", "messages", "max_tokens"])
def test_a_missing_key_is_reported_at_its_place(key: str):
    position = [name for name, _ in IN_ORDER].index(key)
    later = dict(IN_ORDER[position + 1 :])
    assert refused(body(**{**later, key: LEAVE_OUT})) == f"{key}: Field required"


@pytest.mark.promise("intake.first-problem")
def test_a_key_that_the_version_lacks_is_reported_after_all_known_ones():
    newer = headers(version="2026-10-21")
    assert refused(body(temperature=1, stream=5, zzz=1), newer) == "stream: Input should be a valid boolean"
    assert refused(body(temperature=1, container={"x": 1}), newer).startswith("container.ContainerParams.x: Extra")
    assert refused(body(temperature=1, zzz=1), newer) == "temperature: Extra inputs are not permitted"


@pytest.mark.promise("intake.first-problem")
def test_blocks_are_looked_at_in_their_order():
    messages = [{"role": "user", "content": [TEXT, {"type": "text"}, {"type": "x"}]}, 5]
    assert refused(body(messages=messages)) == "messages.0.content.1.text.text: Field required"


# Keys whose value is the client's own, or is keyed by the client's own names.
OPEN = frozenset({"input", "input_schema", "input_examples", "schema", "trigger", "configs", "definition"})


def closed_objects(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where a JSON value holds an object that is closed to unknown keys."""
    if isinstance(value, dict):
        yield path
    for key, inner in children(value):
        if key not in OPEN:
            yield from closed_objects(inner, (*path, key))


def with_unknown_key(value: Any, path: tuple[str | int, ...]) -> Any:
    copy = orjson.loads(orjson.dumps(value))
    target = copy
    for part in path:
        target = target[part]
    target["zzz"] = 1
    return copy


SAMPLES: dict[str, tuple[dict[str, Any], str]] = {
    **{f"block {name}": (body(messages=holding(block)), "") for name, block in BLOCKS.items()},
    **{f"block {name}": (body(messages=holding(block)), betas) for name, (block, betas) in BETA_BLOCKS.items()},
    **{f"tool {name}": (body(tools=[tool]), "") for name, tool in TOOLS.items()},
    **{f"tool {name}": (body(tools=[tool]), betas) for name, (tool, betas) in BETA_TOOLS.items()},
    **{f"{key} {n}": (body(**{key: v}), "") for key, values in FIELDS.items() for n, v in enumerate(values)},
    **{f"{key} β{n}": (body(**{key: value}), betas) for n, (key, value, betas) in enumerate(BETA_FIELDS)},
}


@pytest.mark.promise("intake.unknown-keys")
@pytest.mark.parametrize("name", SAMPLES)
def test_every_object_is_closed_and_the_path_of_an_unknown_key_is_complete(name: str):
    request, betas = SAMPLES[name]
    for path in closed_objects(request):
        message = refused(with_unknown_key(request, path), headers(betas))
        where, _, what = message.partition(": ")
        assert what == "Extra inputs are not permitted"
        # The path holds the keys and positions of the value in order, with tags between them.
        parts = iter(where.split("."))
        assert all(str(step) in parts for step in (*path, "zzz")), message


@pytest.mark.promise("intake.json-errors")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            b'{"model": "m", "max_tokens": 5, "messages"',
            "The request body is not valid JSON: unexpected end of data: line 1 column 43 (char 42)",
            id="A truncated",
        ),
        pytest.param(
            b"",
            "The request body is not valid JSON: Input is a zero-length, empty document: line 1 column 1 (char 0)",
            id="A empty",
        ),
        pytest.param(
            b'{"model": "\\ud800"}',
            "The request body is not valid JSON: no low surrogate in string: line 1 column 12 (char 11)",
            id="A lone surrogate",
        ),
        pytest.param(b"[1]", "The request body should be a JSON object", id="an array"),
        pytest.param(b'"a"', "The request body should be a JSON object", id="a string"),
        pytest.param(b"null", "The request body should be a JSON object", id="null"),
        pytest.param(b"{}", "model: Field required", id="an empty object"),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(text: bytes, message: str):
    for parse in (parse_create, parse_count):
        with pytest.raises(InvalidRequest) as caught:
            parse(text, headers())
        assert caught.value.message == message


@pytest.mark.promise("intake.json-errors")
@pytest.mark.parametrize("text", [b"\xff", b"{" * 5000, b"[" * 5000, b'{"a": 1e400}', b'{"a": NaN}', b"{'a': 1}"])
def test_broken_json_is_refused_with_the_place_of_the_damage(text: bytes):
    with pytest.raises(InvalidRequest, match=r"^The request body is not valid JSON: .+ \(char \d+\)$"):
        parse_create(text, headers())


@pytest.mark.promise("intake.strict-kinds")
def test_an_integer_is_a_number():
    assert accepted(body(temperature=1)).temperature == 1.0
