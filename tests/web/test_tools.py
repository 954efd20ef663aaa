"""Tool use as a client meets it, on a model that writes what a script says."""

import json
from typing import Any

import pytest

from antiphon.testing.bridge import Answer
from tests.web.conftest import Starter

MODEL = "claude-opus-4-5-20251101"
WEATHER: dict[str, Any] = {
    "name": "get_weather",
    "description": "The weather of a place.",
    "input_schema": {
        "type": "object",
        "properties": {"location": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["location"],
    },
}
CLOCK: dict[str, Any] = {"name": "get_time", "input_schema": {"type": "object"}}
CALL = (
    '<function_calls>\\n<invoke name="get_weather">\\n<parameter name="location">San \\"F\\"</parameter>\\n'
    '<parameter name="days">3</parameter>\\n</invoke>'
)
SECOND = '\\n<invoke name="get_time">\\n</invoke>'
END = "\\n</function_calls>"
MARKUP = '</parameter> <a b="c"> \n "q" \'s\' & {x} </tool_call> <|im_end|>'


def quoted(text: str) -> str:
    return json.dumps(text.replace("\\n", "\n").replace('\\"', '"'))


def script(text: str, more: str = "") -> str:
    return f"[[reply]]\ntext = {quoted(text)}\n{more}"


def ask(content: Any = "Weather?", **more: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": content}] if isinstance(content, str) else content
    return {"model": MODEL, "max_tokens": 1000, "messages": messages, "tools": [WEATHER, CLOCK], **more}


async def reply(start: Starter, text: str, **more: Any) -> dict[str, Any]:
    bridge = await start(script(text))
    answer = await bridge.post(ask(**more))
    assert answer.status == 200, answer.body
    return answer.json


def inputs(answer: Answer) -> list[str]:
    """The pieces of JSON of a stream, joined block by block."""
    found: dict[int, str] = {}
    for event in answer.events:
        if event["type"] == "content_block_delta" and event["delta"]["type"] == "input_json_delta":
            found[event["index"]] = found.get(event["index"], "") + event["delta"]["partial_json"]
    return list(found.values())


@pytest.mark.promise("tool-results.tool-use-blocks", "tool-choice.text-before-call", "stops.tool-use")
async def test_text_and_calls_come_back_in_the_order_in_which_they_were_written(start: Starter) -> None:
    message = await reply(start, f"I will look.\\n{CALL}{SECOND}{END}")
    assert message["stop_reason"] == "tool_use"
    one, two, three = message["content"]
    assert one == {"type": "text", "text": "I will look.\n"}
    assert two.pop("id").startswith("toolu_01")
    assert two == {
        "type": "tool_use",
        "name": "get_weather",
        "input": {"location": 'San "F"', "days": 3},
        "caller": {"type": "direct"},
    }
    assert (three["name"], three["input"]) == ("get_time", {})


@pytest.mark.promise("streaming.input-json-delta", "streaming.tool-deltas")
async def test_a_stream_carries_the_input_in_pieces_that_join_to_it(start: Starter) -> None:
    bridge = await start(script(f"Hm. {CALL}{SECOND}{END}"))
    answer = await bridge.post(ask(stream=True))
    kinds = [
        (event["index"], event["content_block"]["type"])
        for event in answer.events
        if event["type"] == "content_block_start"
    ]
    assert kinds == [(0, "text"), (1, "tool_use"), (2, "tool_use")]
    assert [json.loads(text) for text in inputs(answer)] == [{"location": 'San "F"', "days": 3}, {}]
    pieces = [event for event in answer.events if event["type"] == "content_block_delta" and event["index"] == 1]
    assert len(pieces) > 3
    assert pieces[0]["delta"] == {"type": "input_json_delta", "partial_json": ""}
    assert answer.events[-2]["delta"]["stop_reason"] == "tool_use"


@pytest.mark.promise("output.calls-last", "output.taken-back")
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("text", "calls"),
    [
        (f"Hm.\\n{CALL}{SECOND}{END}\\nIt is warm.", 2),
        (f"{CALL}{END}\\n\\nAnd the time:\\n{CALL}{END}", 1),
        (f"{CALL}{END}\\n \\n", 1),
    ],
)
async def test_a_reply_ends_with_its_calls_and_is_taken_back(
    start: Starter, text: str, calls: int, stream: bool
) -> None:
    bridge = await start('[[reply]]\nprompt = "(?s)18 degrees"\ntext = "Warm."\n' + script(text))
    whole = (await bridge.post(ask())).json
    if stream:
        kinds = [
            e["content_block"]["type"] for e in (await bridge.post(ask(stream=True))).events if "content_block" in e
        ]
        assert kinds == [block["type"] for block in whole["content"]]
    made = [block for block in whole["content"] if block["type"] == "tool_use"]
    assert len(made) == calls
    assert whole["content"][-calls:] == made
    assert whole["stop_reason"] == "tool_use"
    results = [{"type": "tool_result", "tool_use_id": call["id"], "content": "18 degrees"} for call in made]
    history = [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": whole["content"]},
        {"role": "user", "content": results},
    ]
    assert (await bridge.post(ask(history))).json["content"] == [{"type": "text", "text": "Warm."}]


@pytest.mark.promise("conversation.assistant-first")
async def test_an_assistant_that_speaks_first_costs_a_few_tokens_more(start: Starter) -> None:
    bridge = await start('[[reply]]\nprompt = "(?s)Begin.*Welcome.*Hi"\ntext = "Hello."\n')
    said = [{"role": "assistant", "content": "Welcome."}, {"role": "user", "content": "Hi"}]
    answer = await bridge.post(ask(said))
    assert answer.json["content"] == [{"type": "text", "text": "Hello."}]
    orphan = [said[0], {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1"}]}]
    refused = (await bridge.post(ask(orphan))).json["error"]["message"]
    assert refused.startswith("messages.2.content.0: unexpected `tool_use_id`")


async def test_a_reply_that_calls_nothing_ends_its_turn(start: Starter) -> None:
    message = await reply(start, "No need: a < b, and <functional> is no call.")
    assert message["stop_reason"] == "end_turn"
    assert message["content"] == [{"type": "text", "text": "No need: a < b, and <functional> is no call."}]


@pytest.mark.promise("tools.unknown-is-text")
async def test_a_call_of_a_tool_that_nobody_has_is_text(start: Starter) -> None:
    text = '<function_calls>\\n<invoke name="rm">\\n<parameter name="x">1</parameter>\\n</invoke>'
    message = await reply(start, text)
    assert message["stop_reason"] == "end_turn"
    assert [block["type"] for block in message["content"]] == ["text"]
    assert message["content"][0]["text"] == text.replace("\\n", "\n")


async def test_where_no_tool_may_be_called_nothing_is_read_as_a_call(start: Starter) -> None:
    message = await reply(start, f"{CALL}{END}", tool_choice={"type": "none"})
    assert [block["type"] for block in message["content"]] == ["text"]


@pytest.mark.promise("tool-results.cut-off-call")
@pytest.mark.parametrize("stream", [False, True])
async def test_a_call_that_the_limit_cut_comes_back_cut(start: Starter, stream: bool) -> None:
    bridge = await start(script(f"{CALL}{END}"))
    whole = (await bridge.post(ask())).json["usage"]["output_tokens"]
    seen: set[str] = set()
    for limit in range(1, whole):
        answer = await bridge.post(ask(max_tokens=limit, stream=stream))
        assert answer.status == 200
        if stream:
            assert answer.events[-2]["delta"]["stop_reason"] == "max_tokens"
            seen.update(inputs(answer))
            continue
        message = answer.json
        assert message["stop_reason"] == "max_tokens"
        for block in message["content"]:
            seen.add(json.dumps(block["input"]) if block["type"] == "tool_use" else block["text"])
    # Half a tag may be anything; a whole one begins a call.
    assert all("<" not in text or "<function_calls".startswith(text) for text in seen)
    if stream:
        assert '{"location": "San' in seen
    else:
        assert {"{}", '{"location": "San \\"F\\""}'} <= seen
    assert (await bridge.post(ask(max_tokens=whole))).json["stop_reason"] == "tool_use"


@pytest.mark.promise("tool-results.cut-off-call")
@pytest.mark.parametrize("stream", [False, True])
async def test_the_block_of_a_forced_call_is_there_however_small_the_limit(start: Starter, stream: bool) -> None:
    bridge = await start(script(f"{CALL}{END}"))
    for limit in (1, 2, 5, 9):
        how = {"type": "tool", "name": "get_weather"}
        answer = await bridge.post(ask(max_tokens=limit, stream=stream, tool_choice=how))
        if stream:
            begun = [event["content_block"] for event in answer.events if event["type"] == "content_block_start"]
            assert answer.events[-2]["delta"]["stop_reason"] == "max_tokens"
        else:
            begun = answer.json["content"]
            assert answer.json["stop_reason"] == "max_tokens"
        assert [(block["type"], block["name"], block["input"]) for block in begun] == [
            ("tool_use", "get_weather", {})
        ]


@pytest.mark.promise("stops.inside-calls")
async def test_a_stop_sequence_ends_a_call_and_markup_ends_nothing(start: Starter) -> None:
    message = await reply(start, f"{CALL}{END}", stop_sequences=["invoke", "function_calls", "\n<"])
    assert message["stop_reason"] == "tool_use"
    message = await reply(start, f"Hm. {CALL}{END}", stop_sequences=["F"])
    assert (message["stop_reason"], message["stop_sequence"]) == ("stop_sequence", "F")
    assert [block["type"] for block in message["content"]] == ["text", "tool_use"]
    message = await reply(start, f"Wait. {CALL}{END}", stop_sequences=["ait"])
    assert message["content"] == [{"type": "text", "text": "W"}]


async def test_what_only_the_client_may_tell_ends_the_turn(start: Starter) -> None:
    message = await reply(start, f"{CALL}{END}\\n<function_results>\\nSunny.")
    assert message["stop_reason"] == "tool_use"
    assert [block["type"] for block in message["content"]] == ["tool_use"]


@pytest.mark.promise("tool-results.is-error")
@pytest.mark.parametrize("is_error", [True, False])
async def test_the_model_sees_a_result_and_whether_it_is_an_error(start: Starter, is_error: bool) -> None:
    tag = "error" if is_error else "result"
    found = f"prompt = '(?s)<function_results>.<{tag} name=\"get_weather\">.no such place.</{tag}>'"
    bridge = await start(f"[[reply]]\ntext = 'Seen.'\n{found}\n[[reply]]\ntext = 'Not seen.'\n")
    history: list[dict[str, Any]] = [
        {"role": "user", "content": "Weather?"},
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"location": "x"}}],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "toolu_1",
                    "content": [{"type": "text", "text": "no such place"}],
                    "is_error": is_error,
                },
                {"type": "text", "text": "And now?"},
            ],
        },
    ]
    assert (await bridge.post(ask(history))).json["content"][0]["text"] == "Seen."


@pytest.mark.promise("tools.examples-in-prompt")
async def test_tools_and_their_examples_are_counted(start: Starter) -> None:
    bridge = await start()

    async def count(**more: Any) -> int:
        request = {key: value for key, value in ask(**more).items() if key != "max_tokens"}
        answer = await bridge.ask(
            "POST",
            "/v1/messages/count_tokens",
            request,
            headers={"anthropic-beta": "advanced-tool-use-2025-11-20"},
        )
        assert answer.status == 200, answer.body
        return answer.json["input_tokens"]

    bare = await count(tools=[CLOCK])
    described = await count(tools=[{**CLOCK, "description": "What the time is where we are."}])
    shown = await count(tools=[{**CLOCK, "input_examples": [{"zone": "Europe/Paris"}]}])
    assert await count(tools=[]) < bare < described
    assert bare < shown


@pytest.mark.promise("structured.format")
@pytest.mark.parametrize("key", ["output_config", "output_format"])
async def test_an_answer_of_a_given_form_is_one_text(start: Starter, key: str) -> None:
    form = {
        "type": "json_schema",
        "schema": {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False},
    }
    bridge = await start(script('{\\"a\\": \\"b\\"}'))
    request = ask(tools=[], **{key: {"format": form} if key == "output_config" else form})
    answer = await bridge.post(request, headers={"anthropic-beta": "structured-outputs-2025-11-13"})
    assert answer.status == 200, answer.body
    assert answer.json["content"] == [{"type": "text", "text": '{"a": "b"}'}]
    assert answer.json["stop_reason"] == "end_turn"


@pytest.mark.promise("tools.toolset-members")
async def test_a_call_of_a_toolset_s_member_names_both_and_comes_in_one_piece(start: Starter) -> None:
    call = (
        '<function_calls>\\n<invoke name="computer__key">\\n<parameter name="text">ctrl+s</parameter>\\n</invoke>'
        "\\n</function_calls>"
    )
    bridge = await start(script(call))
    answer = await bridge.post(ask(tools=[{"type": "computer_toolset_20260801"}], stream=True))
    assert answer.status == 200, answer.body
    begun = next(event for event in answer.events if event["type"] == "content_block_start")
    assert begun["content_block"]["name"] == "key"
    assert begun["content_block"]["toolset_name"] == "computer"
    pieces = [event["delta"]["partial_json"] for event in answer.events if event["type"] == "content_block_delta"]
    assert pieces == ["", '{"text": "ctrl+s"}']


@pytest.mark.promise("tools.markup-in-values")
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("how", [{"type": "auto"}, {"type": "any"}, {"type": "tool", "name": "note"}])
@pytest.mark.parametrize("schema", [{"type": "string"}, {"type": "string", "enum": [MARKUP]}])
async def test_a_value_that_is_markup_arrives_to_the_character(
    start: Starter, schema: dict[str, Any], how: dict[str, Any], stream: bool
) -> None:
    text = (
        f'<function_calls>\n<invoke name="note">\n<parameter name="text">{MARKUP}</parameter>\n</invoke>'
        "\n</function_calls>"
    )
    tool = {"name": "note", "input_schema": {"type": "object", "properties": {"text": schema}, "required": ["text"]}}
    bridge = await start(f"[[reply]]\ntext = {json.dumps(text)}\n")
    answer = await bridge.post(ask(tools=[tool], tool_choice=how, stream=stream))
    assert answer.status == 200, answer.body
    given = json.loads(inputs(answer)[0]) if stream else answer.json["content"][0]["input"]
    assert given == {"text": MARKUP}
