"""What an application does with pictures and documents through the official Python SDK's public API.

    python vision_scenarios.py FOLDER SCENARIO...

FOLDER holds picture.png, report.pdf and url.txt. Prints one JSON object, a key a scenario. Imports nothing of Antiphon.
"""

import asyncio
import base64
import json
import sys
import traceback
from pathlib import Path

import anthropic
from anthropic import beta_async_tool, beta_tool

FOLDER = Path(sys.argv[1])
REQUEST = {
    "model": "claude-opus-4-5-20251101",
    "max_tokens": 500,
    "messages": [{"role": "user", "content": "Look at the screen and read the report."}],
}


def encoded(name):
    return base64.standard_b64encode((FOLDER / name).read_bytes()).decode()


PICTURE = {
    "type": "image",
    "source": {"type": "base64", "media_type": "image/png", "data": encoded("picture.png")},
}
PDF = {
    "type": "document",
    "source": {"type": "base64", "media_type": "application/pdf", "data": encoded("report.pdf")},
}
TEXT = {
    "type": "document",
    "source": {"type": "text", "media_type": "text/plain", "data": "The grass is green."},
    "title": "Of grass",
    "context": "A draft.",
}
BLOCKS = {
    "type": "document",
    "source": {"type": "content", "content": [{"type": "text", "text": "First block."}, PICTURE]},
    "title": "Of blocks",
}
QUESTION = {"type": "text", "text": "What is it?"}


def screen():
    return [PICTURE]


def report():
    return [{"type": "text", "text": "Here it is."}, PICTURE, PDF]


@beta_tool(name="screen")
def screen_tool():
    """Take a picture of the screen."""
    return screen()


@beta_tool(name="report")
def report_tool():
    """Get the report."""
    return report()


@beta_async_tool(name="screen")
async def async_screen_tool():
    """Take a picture of the screen."""
    return screen()


@beta_async_tool(name="report")
async def async_report_tool():
    """Get the report."""
    return report()


def told(message):
    return [block.text if block.type == "text" else block.name for block in message.content]


def runner(client):
    return [told(m) for m in client.beta.messages.tool_runner(tools=[screen_tool, report_tool], **REQUEST)]


def streaming_runner(client):
    tools = [screen_tool, report_tool]
    return [
        told(stream.get_final_message())
        for stream in client.beta.messages.tool_runner(tools=tools, stream=True, **REQUEST)
    ]


def asynchronous_runner(_):
    async def run():
        async with anthropic.AsyncAnthropic() as client:
            tools = [async_screen_tool, async_report_tool]
            return [told(m) async for m in client.beta.messages.tool_runner(tools=tools, **REQUEST)]

    return asyncio.run(run())


def forced_runner(client):
    """The model must call the tool that gives a picture, each time."""
    messages = client.beta.messages.tool_runner(
        tools=[screen_tool],
        tool_choice={"type": "tool", "name": "screen", "disable_parallel_tool_use": True},
        max_iterations=2,
        **{**REQUEST, "max_tokens": 100},
    )
    return [
        {"stop": m.stop_reason, "names": told(m), "input": m.usage.input_tokens + m.usage.cache_read_input_tokens}
        for m in messages
    ]


def conversations():
    called = {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "screen", "input": {}}]}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [QUESTION, PICTURE, TEXT]}
    url = {"type": "image", "source": {"type": "url", "url": (FOLDER / "url.txt").read_text()}}
    for name, content in {
        "a picture": [PICTURE],
        "text and a picture": [QUESTION, PICTURE],
        "pictures and texts": [PICTURE, QUESTION, PICTURE, PICTURE, QUESTION],
        "a picture by URL": [url, QUESTION],
        "a PDF": [PDF, QUESTION],
        "a text": [TEXT, QUESTION],
        "blocks": [BLOCKS, QUESTION],
    }.items():
        yield name, {"messages": [{"role": "user", "content": content}]}
    history = [{"role": "user", "content": "Look."}, called, {"role": "user", "content": [result]}]
    yield "a result", {"messages": history, "tools": [screen_tool.to_dict()]}


def counts(client):
    found = {}
    for name, conversation in conversations():
        request = {"model": REQUEST["model"], **conversation}
        counted = client.messages.count_tokens(**request).input_tokens
        usage = client.messages.create(max_tokens=1, **request).usage
        found[name] = [counted, usage.input_tokens + usage.cache_read_input_tokens]
    return found


def refusals(client):
    found = {}
    for name, conversation in conversations():
        try:
            client.messages.create(model=REQUEST["model"], max_tokens=1, **conversation)
            found[name] = ""
        except anthropic.BadRequestError as refused:
            found[name] = refused.body["error"]["message"]
    return found


SCENARIOS = [runner, streaming_runner, asynchronous_runner, forced_runner, counts, refusals]


def main():
    client = anthropic.Anthropic(max_retries=0, timeout=300)
    results = {}
    for scenario in SCENARIOS:
        if scenario.__name__ not in sys.argv[2:]:
            continue
        try:
            results[scenario.__name__] = scenario(client)
        except Exception:
            results[scenario.__name__] = {"raised": traceback.format_exc(limit=-4)}
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
