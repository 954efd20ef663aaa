"""The tool examples of the two documents on the default model, which decides by itself (`auto`), through the SDK."""

import sys
import warnings
from collections.abc import Sequence
from typing import Any

import anthropic
import pytest

from tests.arch.tree import ROOT
from tests.referee.live import run_client

pytestmark = pytest.mark.promise("adapter.calls")

WEATHER: dict[str, Any] = {
    "name": "get_weather",
    "description": "Get the current weather in a given location",
    "input_schema": {
        "type": "object",
        "properties": {
            "location": {"type": "string", "description": "The city and state, e.g. San Francisco, CA"},
            "unit": {
                "type": "string",
                "enum": ["celsius", "fahrenheit"],
                "description": "The unit of temperature, either 'celsius' or 'fahrenheit'",
            },
        },
        "required": ["location"],
    },
}
STOCKS: dict[str, Any] = {
    "name": "get_stock_price",
    "description": "Retrieves the current stock price for a given ticker symbol. The ticker symbol must be a valid "
    "symbol for a publicly traded company on a major US stock exchange like NYSE or NASDAQ. The tool will return the "
    "latest trade price in USD. It should be used when the user asks about the current or most recent price of a "
    "specific stock. It will not provide any other information about the stock or company.",
    "input_schema": {
        "type": "object",
        "properties": {
            "ticker": {"type": "string", "description": "The stock ticker symbol, e.g. AAPL for Apple Inc."}
        },
        "required": ["ticker"],
    },
}
TIME: dict[str, Any] = {
    "name": "get_time",
    "description": "Get the current time in a given time zone",
    "input_schema": {
        "type": "object",
        "properties": {"timezone": {"type": "string", "description": "The IANA time zone name"}},
        "required": ["timezone"],
    },
}
EXAMPLES = {
    **WEATHER,
    "input_examples": [{"location": "San Francisco, CA", "unit": "fahrenheit"}, {"location": "Paris"}],
}
QUESTION = "What's the weather like in San Francisco?"


def ask(server: str, tools: Sequence[dict[str, Any]], messages: Sequence[dict[str, Any]], **more: Any) -> Any:
    with warnings.catch_warnings(), anthropic.Anthropic(base_url=server, api_key="any") as client:
        warnings.simplefilter("ignore", DeprecationWarning)
        messages_: Any = client.beta.messages
        return messages_.create(
            model="claude-sonnet-4-5", max_tokens=1024, tools=list(tools), messages=list(messages), **more
        )


def calls(message: Any) -> list[tuple[str, dict[str, Any]]]:
    return [(block.name, dict(block.input)) for block in message.content if block.type == "tool_use"]


def said(message: Any) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


def asked(text: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": text}]


def answered(question: str, message: Any, result: str, *, failed: bool = False) -> list[dict[str, Any]]:
    results = [
        {"type": "tool_result", "tool_use_id": block.id, "content": result, **({"is_error": True} if failed else {})}
        for block in message.content
        if block.type == "tool_use"
    ]
    return [*asked(question), {"role": "assistant", "content": message.content}, {"role": "user", "content": results}]


@pytest.fixture(scope="module")
def first_call(server: str) -> Any:
    """What the model says to the question with which the documents begin."""
    return ask(server, [WEATHER], asked(QUESTION))


@pytest.mark.promise("snippets.tools")
def test_the_weather_is_asked_for_and_told(server: str, first_call: Any):
    message = first_call
    assert message.stop_reason == "tool_use"
    ((name, given),) = calls(message)
    assert name == "get_weather"
    assert given["location"].startswith("San Francisco")
    told = ask(server, [WEATHER], answered(QUESTION, message, "15 degrees"))
    assert told.stop_reason == "end_turn"
    assert "15" in said(told)


@pytest.mark.promise("snippets.tools")
def test_a_tool_that_fails_is_told_of(server: str, first_call: Any):
    error = "ConnectionError: the weather service API is not available (HTTP 500)"
    told = ask(server, [WEATHER], answered(QUESTION, first_call, error, failed=True))
    assert told.stop_reason == "end_turn"
    assert "not available" in said(told)


@pytest.mark.promise("snippets.tools")
def test_two_questions_are_two_calls(server: str):
    question = "What's the weather like right now in New York? Also what time is it there?"
    message = ask(server, [WEATHER, TIME], asked(question))
    assert sorted(name for name, _ in calls(message)) == ["get_time", "get_weather"]


@pytest.mark.promise("snippets.tools")
@pytest.mark.parametrize(
    ("tools", "question", "name", "value"),
    [
        pytest.param([WEATHER], "What's the weather like in London? Use the get_weather tool in your response.", "get_weather", "London", id="named"),
        pytest.param([EXAMPLES], QUESTION, "get_weather", "San Francisco", id="input examples"),
        pytest.param([STOCKS], "What's the S&P 500 at today?", "get_stock_price", "^GSPC", id="index"),
        pytest.param([WEATHER, STOCKS], "What is the current price of AAPL?", "get_stock_price", "AAPL", id="one of two"),
        pytest.param([WEATHER], "巴黎的天氣怎麼樣?", "get_weather", "巴黎", id="traditional Chinese"),
        pytest.param([WEATHER], "今天北京天气如何?", "get_weather", "北京", id="simplified Chinese"),
    ],
)  # fmt: skip
def test_plain_questions_call_the_right_tool(
    server: str, tools: list[dict[str, Any]], question: str, name: str, value: str
):
    betas = ["advanced-tool-use-2025-11-20"]
    message = ask(server, tools, asked(question), betas=betas)
    ((called, given),) = calls(message)
    assert called == name
    assert next(iter(given.values())).startswith(value)


def test_what_is_missing_is_asked_for_and_greetings_are_answered(server: str):
    assert not calls(ask(server, [WEATHER], asked("What's the weather?")))
    greeting = ask(server, [WEATHER, STOCKS], asked("Hello! Who are you?"))
    assert not calls(greeting)
    assert greeting.stop_reason == "end_turn"


@pytest.mark.promise("snippets.thinking", "snippets.tools")
def test_the_example_of_thinking_with_tools_runs_to_its_end_unmodified(server: str):
    output = run_client([sys.executable, ROOT / "examples" / "primer" / "thinking_tools.py"], server)
    assert "72" in output
    assert "Paris" in output


@pytest.mark.promise("snippets.thinking", "snippets.tools")
def test_the_interleaved_example_calls_the_calculator_unmodified(server: str):
    thought, _, call = run_client(
        [sys.executable, ROOT / "examples" / "primer" / "interleaved.py"], server
    ).partition("Tool call: ")
    assert thought.removeprefix("Thinking: ").strip()
    assert call.strip() == "calculator({'expression': '150 * 50'})"
