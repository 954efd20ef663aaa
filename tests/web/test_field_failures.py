"""What users of other servers reported, as a client meets it here. The reports are named in contract/field.toml."""

from itertools import pairwise
from typing import Any

import pytest

from antiphon.ports.media import MediaProblem, Pdf, PdfPage
from tests.schema.real import REAL
from tests.service.media.doubles import StandInFetcher, StandInReader, intake
from tests.web.conftest import Starter
from tests.web.test_tools import CALL, CLOCK, END, MODEL, SECOND, WEATHER, ask, script

LATE_SYSTEM = "claude-opus-4-8"
THIRD = CALL.replace("San", "Lyon")
FACT = "The harvest was 4711 tons."
PDF_URL = "https://example.com/harvest.pdf"


def order(events: list[dict[str, Any]]) -> list[tuple[int, str]]:
    """The starts and stops of blocks, with every delta checked to lie in the open one."""
    found: list[tuple[int, str]] = []
    opened: int | None = None
    for event in events:
        match event["type"]:
            case "content_block_start":
                assert opened is None, "a block opened inside of another one"
                opened = event["index"]
                found.append((event["index"], event["content_block"]["type"]))
            case "content_block_delta":
                assert event["index"] == opened, "a delta outside of its block"
            case "content_block_stop":
                assert event["index"] == opened, "the wrong block was stopped"
                opened = None
            case "ping":
                pass
            case _:
                assert opened is None, f"{event['type']} inside of a block"
    return found


@pytest.mark.promise("field.blocks-never-overlap")
@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        (f"{CALL}{SECOND}{END}", ["tool_use", "tool_use"]),
        (f"Hm.\\n{CALL}{SECOND}{END}", ["text", "tool_use", "tool_use"]),
        (f"{CALL}{END}\\nAnd now:\\n{THIRD}{END}", ["tool_use"]),
        (f"One.\\n{CALL}{END}\\nTwo.\\n{THIRD}{END}", ["text", "tool_use"]),
    ],
)
async def test_each_block_stops_before_the_next_one_starts(start: Starter, text: str, kinds: list[str]) -> None:
    bridge = await start(script(text))
    answer = await bridge.post(ask(stream=True))
    found = order(answer.events)
    assert [kind for _, kind in found] == kinds
    assert all(after == before + 1 for (before, _), (after, _) in pairwise(found))
    assert found[0][0] == 0


@pytest.mark.promise("field.call-start-is-whole")
@pytest.mark.parametrize("before", ["", "Let me see.\\n"])
async def test_a_call_starts_with_id_name_and_an_empty_input(start: Starter, before: str) -> None:
    bridge = await start(script(f"{before}{CALL}{SECOND}{END}"))
    answer = await bridge.post(ask(stream=True))
    starts = [event["content_block"] for event in answer.events if event["type"] == "content_block_start"]
    calls = [block for block in starts if block["type"] == "tool_use"]
    assert [(call["name"], call["input"]) for call in calls] == [("get_weather", {}), ("get_time", {})]
    assert all(call["id"].startswith("toolu_") for call in calls)
    assert len({call["id"] for call in calls}) == 2


@pytest.mark.promise("tool-choice.parallel")
async def test_several_calls_take_all_their_results_in_one_message(start: Starter) -> None:
    told = "[[reply]]\nprompt = '(?s)18 degrees.*late'\ntext = \"Warm, and late.\"\n"
    bridge = await start(told + script(CALL + SECOND + END))
    first = (await bridge.post(ask())).json
    calls = [block for block in first["content"] if block["type"] == "tool_use"]
    results = [
        {"type": "tool_result", "tool_use_id": call["id"], "content": said}
        for call, said in zip(calls, ("18 degrees", "late"), strict=True)
    ]
    history = [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": first["content"]},
        {"role": "user", "content": results},
    ]
    answer = await bridge.post(ask(history))
    assert answer.json["content"] == [{"type": "text", "text": "Warm, and late."}]
    apart = [*history[:2], {"role": "user", "content": results[:1]}, {"role": "user", "content": results[1:]}]
    assert (await bridge.post(ask(apart))).status == 200, "consecutive messages of one role are one turn"
    missing = await bridge.post(ask([*history[:2], {"role": "user", "content": results[:1]}]))
    assert missing.status == 400
    assert calls[1]["id"] in missing.json["error"]["message"]


@pytest.mark.promise("field.system-in-the-middle")
async def test_a_system_message_in_the_middle_reaches_the_model_in_its_place(start: Starter) -> None:
    bridge = await start('[[reply]]\nprompt = "(?s)first words.*SPEAK LOW.*last words"\ntext = "quietly"\n')
    history = [
        {"role": "user", "content": "first words"},
        {"role": "system", "content": "SPEAK LOW"},
        {"role": "assistant", "content": "aye"},
        {"role": "user", "content": "last words"},
    ]
    answer = await bridge.post(ask(history, model=LATE_SYSTEM))
    assert answer.json["content"] == [{"type": "text", "text": "quietly"}]


@pytest.mark.promise("field.custom-type", "tools.fields")
async def test_a_tool_of_type_custom_keeps_its_schema(start: Starter) -> None:
    bridge = await start(
        '[[reply]]\nprompt = "PROMPT"\ntext = "no"\n[[reply]]\nprompt = \'"type": "object"\'\ntext = "seen"\n'
    )
    fields = {
        "type": "custom",
        "cache_control": {"type": "ephemeral"},
        "strict": False,
        "input_examples": [{"location": "Oslo"}],
    }
    told = [(await bridge.post(ask(tools=[{**WEATHER, **more}, CLOCK]))).json for more in ({}, fields)]
    assert [reply["content"] for reply in told] == [[{"type": "text", "text": "seen"}]] * 2
    twice = await bridge.post(ask(tools=[WEATHER, {**WEATHER, "type": "custom"}]))
    assert twice.status == 400
    assert twice.json["error"]["message"] == "tools: Tool names must be unique."


@pytest.mark.promise("field.real-schemas")
@pytest.mark.parametrize("name", REAL)
async def test_the_schema_of_a_real_tool_is_taken_under_every_choice(start: Starter, name: str) -> None:
    bridge = await start(script("Fine."))
    tool = {"name": "real", "input_schema": REAL[name]}
    for choice in ({"type": "auto"}, {"type": "any"}, {"type": "tool", "name": "real"}):
        answer = await bridge.post(ask(tools=[tool, CLOCK], tool_choice=choice))
        assert answer.status == 200, answer.body


@pytest.mark.promise("field.input-as-string")
async def test_an_input_that_came_back_as_a_string_is_named(start: Starter) -> None:
    bridge = await start()
    call = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": '{"location": "Oslo"}'}
    history = [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1"}]},
    ]
    answer = await bridge.post(ask(history))
    assert answer.status == 400
    place = "messages.1.content.0.tool_use.input"
    assert answer.json["error"]["message"] == f"{place}: Input should be a valid dictionary"


@pytest.mark.promise("field.billing-header")
async def test_two_requests_of_an_agent_have_one_prompt_whatever_the_nonce(start: Starter) -> None:
    bridge = await start('[[reply]]\nprompt = "cch="\ntext = "spoiled"\n[[reply]]\ntext = "clean"\n')
    counts: list[int] = []
    for nonce in ("0a1b2", "fffff-and-longer"):
        line = f"x-anthropic-billing-header: cc_version=2.1.330.7b4; cc_entrypoint=sdk-cli; cch={nonce};"
        system = [{"type": "text", "text": line}, {"type": "text", "text": "You help with code."}]
        answer = await bridge.post(ask(system=system))
        assert answer.json["content"][0]["text"] == "clean"
        counts.append(answer.json["usage"]["input_tokens"])
        together = await bridge.post(ask(system=f"{line}\nYou help with code."))
        assert together.json["usage"]["input_tokens"] == counts[-1]
    assert counts[0] == counts[1]
    plain = await bridge.post(ask(system="You help with code."))
    assert plain.json["usage"]["input_tokens"] == counts[0]


@pytest.mark.promise("field.classifier")
async def test_a_permission_question_is_answered_with_its_stop_sequence_named(start: Starter) -> None:
    bridge = await start(script("<block>no</block> and more"))
    body = {
        "model": MODEL,
        "max_tokens": 64,
        "stop_sequences": ["</block>"],
        "thinking": {"type": "disabled"},
        "temperature": 0,
        "messages": [{"role": "user", "content": "May it run?"}],
    }
    answer = (await bridge.post(body)).json
    assert answer["content"] == [{"type": "text", "text": "<block>no"}]
    assert (answer["stop_reason"], answer["stop_sequence"]) == ("stop_sequence", "</block>")


@pytest.mark.promise("tool-choice.json-output")
async def test_json_output_by_a_forced_tool_is_an_input_and_nothing_else(start: Starter) -> None:
    bridge = await start(script(f"{CALL}{END}"))
    answer = (await bridge.post(ask(tools=[WEATHER], tool_choice={"type": "tool", "name": "get_weather"}))).json
    assert [block["type"] for block in answer["content"]] == ["tool_use"]
    assert answer["content"][0]["input"] == {"location": 'San "F"', "days": 3}
    assert answer["stop_reason"] == "tool_use"


def document(source: dict[str, Any]) -> dict[str, Any]:
    return {"type": "document", "source": source}


def sent(data: str) -> dict[str, Any]:
    return document({"type": "base64", "media_type": "application/pdf", "data": data})


def turns(*content: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [*content, {"type": "text", "text": "How much was it?"}]}]


def in_a_result(*content: dict[str, Any]) -> list[dict[str, Any]]:
    call: dict[str, Any] = {"type": "tool_use", "id": "toolu_1", "name": "get_time", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": list(content)}
    return [*turns(), {"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]


@pytest.mark.promise("field.no-document-lost")
@pytest.mark.parametrize("wrapped", [turns, in_a_result])
@pytest.mark.parametrize(
    "source",
    [
        pytest.param(sent("AAAA")["source"], id="a PDF"),
        pytest.param({"type": "url", "url": PDF_URL}, id="a PDF by URL"),
        pytest.param({"type": "text", "media_type": "text/plain", "data": FACT}, id="a text"),
        pytest.param({"type": "content", "content": FACT}, id="content"),
        pytest.param({"type": "content", "content": [{"type": "text", "text": FACT}]}, id="blocks"),
    ],
)
async def test_no_document_is_lost_on_its_way_to_the_model(start: Starter, wrapped: Any, source: Any) -> None:
    pdf = Pdf((PdfPage("A page before."), PdfPage(FACT)))
    files = intake(StandInReader({b"\0\0\0": pdf, b"fetched": pdf}), StandInFetcher({PDF_URL: b"fetched"}))
    bridge = await start(f"[[reply]]\nprompt = '{FACT}'\ntext = 'Read.'\n[[reply]]\ntext = 'Lost.'\n", media=files)
    answer = await bridge.post(ask(wrapped(document(source))))
    assert answer.json["content"] == [{"type": "text", "text": "Read."}]


@pytest.mark.promise("field.no-document-lost")
@pytest.mark.parametrize("wrapped", [turns, in_a_result])
@pytest.mark.parametrize(
    "block",
    [
        pytest.param(sent("////"), id="a broken PDF"),
        pytest.param(sent("no base64!"), id="no base64"),
        pytest.param(sent(""), id="nothing"),
        pytest.param(document({"type": "url", "url": PDF_URL}), id="out of reach"),
    ],
)
async def test_a_document_that_the_model_cannot_be_shown_is_refused(start: Starter, wrapped: Any, block: Any) -> None:
    holds = {b"\xff\xff\xff": MediaProblem("pdf", "broken"), b"": MediaProblem("pdf", "empty")}
    bridge = await start(script("Lost."), media=intake(StandInReader(holds)))
    answer = await bridge.post(ask(wrapped(block)))
    assert (answer.status, answer.json["error"]["type"]) == (400, "invalid_request_error")
