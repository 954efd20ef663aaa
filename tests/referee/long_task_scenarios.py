"""What an application does with the official Python SDK's tool runner in a long task, through its public API only.

Prints one JSON object, a key a scenario. Imports nothing of Antiphon.
"""

import json
import sys
import traceback
import warnings

import anthropic
from anthropic import beta_tool

REQUEST = {"model": "claude-opus-4-8", "max_tokens": 500}
LONG = [{"role": "user", "content": "Please do the long task."}]
calls = []


@beta_tool
def add(a: int, b: int) -> str:
    """Add two numbers.

    Args:
        a: The first number.
        b: The second number.
    """
    calls.append(["add", a, b])
    return str(a + b)


@beta_tool
def multiply(a: int, b: int) -> str:
    """Multiply two numbers.

    Args:
        a: The first number.
        b: The second number.
    """
    calls.append(["multiply", a, b])
    return str(a * b)


def told(message):
    return [
        block.text if block.type == "text" else block.name if block.type == "tool_use" else block.type
        for block in message.content
    ]


def outcome(messages):
    return {"messages": [told(m) for m in messages], "stops": [m.stop_reason for m in messages], "calls": list(calls)}


def compacting(client, stream=False):
    calls.clear()
    messages = []
    runner = client.beta.messages.tool_runner(
        tools=[add], betas=["compact-2026-09-04"], messages=LONG, stream=stream, **REQUEST
    )
    for item in runner:
        message = item.get_final_message() if stream else item
        messages.append(message)
        # The task is long when two sums have been made.
        if len(messages) == 2:
            runner.compact_before_next_turn()
    return outcome(messages)


def compacting_runner(client):
    return compacting(client)


def compacting_streaming_runner(client):
    return compacting(client, stream=True)


def changing_runner(client):
    calls.clear()
    messages = []
    runner = client.beta.messages.tool_runner(
        tools=[add],
        betas=["inline-tools-2026-09-15"],
        messages=[{"role": "user", "content": "What is 6 times 7?"}],
        **REQUEST,
    )
    for message in runner:
        messages.append(message)
        if len(messages) == 1:
            runner.generate_tool_call_response()
            runner.remove_tools("add")
            runner.add_tools(multiply)
    return outcome(messages)


def changing_and_compacting_runner(client):
    calls.clear()
    messages = []
    runner = client.beta.messages.tool_runner(
        tools=[multiply],
        betas=["inline-tools-2026-09-15", "compact-2026-09-04"],
        messages=LONG,
        **REQUEST,
    )
    runner.add_tools(add)
    for message in runner:
        messages.append(message)
        if len(messages) == 2:
            runner.compact_before_next_turn()
    return outcome(messages)


def client_side_compaction(client):
    calls.clear()
    warnings.simplefilter("ignore")
    runner = client.beta.messages.tool_runner(
        tools=[add],
        # What is summarized away has to be long: the threshold is crossed by the second request, and not after it.
        messages=[{"role": "user", "content": LONG[0]["content"] + " Take your time." * 100}],
        compaction_control={"enabled": True, "context_token_threshold": THRESHOLD},
        max_iterations=8,
        **REQUEST,
    )
    messages = list(runner)
    return {**outcome(messages), "usage": [m.usage.input_tokens + m.usage.output_tokens for m in messages]}


THRESHOLD = 950
OLD = anthropic.__version__.startswith("0.")
NEWEST = [compacting_runner, compacting_streaming_runner, changing_runner, changing_and_compacting_runner]
SCENARIOS = [client_side_compaction] if OLD else NEWEST


def main():
    client = anthropic.Anthropic()
    results = {}
    for scenario in SCENARIOS:
        try:
            results[scenario.__name__] = scenario(client)
        except Exception:
            results[scenario.__name__] = {"raised": traceback.format_exc(limit=-4)}
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
