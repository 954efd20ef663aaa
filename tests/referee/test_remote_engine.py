"""The official SDK against `antiphon serve --url`, in front of a llama-server that is not ours."""

import string
from collections.abc import Generator

import pytest
from anthropic import Anthropic, APIStatusError
from anthropic.types import Message, ToolParam

from tests.engines.foreign import Foreign, foreign_server, free_port
from tests.engines.shallow import shallow_path
from tests.referee.live import live_process

MODEL = "claude-opus-4-8"
WINDOW = 768
"""Tokens that a conversation may have: less than the least budget for thoughts, which takes a while to fill."""
WEATHER: ToolParam = {
    "name": "get_weather",
    "description": "The weather of a city.",
    "strict": True,
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string", "enum": ["Paris", "Rome"]}, "days": {"type": "integer"}},
        "required": ["city", "days"],
        "additionalProperties": False,
    },
}


@pytest.fixture(scope="module")
def client() -> Generator[Anthropic]:
    foreign = Foreign(str(shallow_path()), free_port(), window=WINDOW, prefix="/llama")
    with (
        foreign_server(foreign),
        live_process(
            *("--url", foreign.url, "--engine-key-env", "LLAMA_KEY"), extra={"LLAMA_KEY": foreign.key}
        ) as live,
        Anthropic(base_url=live.url, api_key="any", max_retries=0, timeout=120) as made,
    ):
        yield made


def ask(client: Anthropic, **more: object) -> Message:
    question = {"model": MODEL, "max_tokens": 16, "messages": [{"role": "user", "content": "Say hello."}]}
    asked: dict[str, object] = {**question, **more}
    return client.messages.create(**asked)  # type: ignore[call-overload,no-any-return]


@pytest.mark.promise("remote.whole-api")
def test_text_is_written_and_counted(client: Anthropic):
    reply = ask(client)
    assert reply.content[0].type == "text"
    assert 0 < reply.usage.output_tokens <= 16
    counted = client.messages.count_tokens(model=MODEL, messages=[{"role": "user", "content": "Say hello."}])
    assert counted.input_tokens == reply.usage.input_tokens + (reply.usage.cache_read_input_tokens or 0)


@pytest.mark.promise("remote.whole-api")
def test_a_stream_is_what_its_whole_is(client: Anthropic):
    with client.messages.stream(
        model=MODEL, max_tokens=16, messages=[{"role": "user", "content": "Say hello."}]
    ) as stream:
        text = "".join(stream.text_stream)
        whole = stream.get_final_message()
    assert [block.text for block in whole.content if block.type == "text"] == [text]


@pytest.mark.promise("remote.whole-api")
def test_a_strict_call_keeps_to_its_schema(client: Anthropic):
    reply = ask(client, tools=[WEATHER], tool_choice={"type": "tool", "name": "get_weather"}, max_tokens=60)
    # A forced tool may be called several times in one reply; only the limit can leave the last call unfinished.
    calls = [block for block in reply.content if block.type == "tool_use"]
    assert calls
    assert {call.name for call in calls} == {"get_weather"}
    for call in calls if reply.stop_reason == "tool_use" else calls[:-1]:
        assert isinstance(call.input, dict)
        assert call.input["city"] in ("Paris", "Rome")
        assert type(call.input["days"]) is int


@pytest.mark.promise("remote.whole-api")
def test_a_result_is_read_and_answered(client: Anthropic):
    messages = [
        {"role": "user", "content": "The weather in Paris?"},
        {
            "role": "assistant",
            "content": [
                {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Paris", "days": 1}}
            ],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "Rain."}]},
    ]
    reply = ask(client, messages=messages, tools=[WEATHER], tool_choice={"type": "none"})
    assert reply.content


@pytest.mark.promise("remote.whole-api")
def test_a_stop_sequence_ends_the_reply_and_is_named(client: Anthropic):
    # Two layers of a model say anything, and another thing on another processor: whatever they say ends at the first
    # sign that can be seen.
    letters = [*string.ascii_letters, *string.digits, *string.punctuation]
    reply = ask(client, max_tokens=64, stop_sequences=letters)
    assert reply.stop_reason == "stop_sequence"
    assert reply.stop_sequence in letters
    assert not any(reply.stop_sequence in block.text for block in reply.content if block.type == "text")


@pytest.mark.promise("remote.whole-api")
def test_thinking_is_told_apart_and_bounded(client: Anthropic):
    reply = ask(
        client, model="claude-haiku-4-5", max_tokens=1100, thinking={"type": "enabled", "budget_tokens": 1024}
    )
    assert reply.content[0].type == "thinking"
    assert 0 < reply.usage.output_tokens < WINDOW


@pytest.mark.promise("remote.whole-api")
def test_a_control_token_in_a_users_text_is_text(client: Anthropic):
    plain = client.messages.count_tokens(model=MODEL, messages=[{"role": "user", "content": "a"}])
    marked = client.messages.count_tokens(model=MODEL, messages=[{"role": "user", "content": "a<|im_end|>"}])
    assert marked.input_tokens > plain.input_tokens + 1


@pytest.mark.promise("remote.whole-api")
def test_a_prompt_beyond_the_window_is_the_apis_own_error(client: Anthropic):
    with pytest.raises(APIStatusError, match="prompt is too long") as refused:
        ask(client, messages=[{"role": "user", "content": "word " * 6000}])
    assert refused.value.status_code == 400


@pytest.mark.promise("remote.refuses-what-it-cannot-keep")
def test_a_server_that_shows_control_tokens_is_not_served():
    foreign = Foreign(str(shallow_path()), free_port(), window=512, parallel=1, special=True, key="")
    with (
        foreign_server(foreign),
        pytest.raises(AssertionError, match="start it without --special"),
        live_process("--url", foreign.url),
    ):
        pass
