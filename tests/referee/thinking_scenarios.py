"""What an application does with extended thinking and the official Python SDK, through its public API only.

Prints one JSON object, a key a scenario. Imports nothing of Antiphon.
"""

import asyncio
import json
import sys
import traceback

import anthropic
from anthropic import beta_tool

OLD, NEW, BETWEEN = "claude-opus-4-5-20251101", "claude-opus-4-8", "claude-sonnet-4-6"
REDACTED = "ANTHROPIC_MAGIC_STRING_TRIGGER_REDACTED_THINKING_46C9A13E193C177646C7398A98432ECCCE4C1253D5E2D82641AC0E52CC2876CB"
BUDGET = {"type": "enabled", "budget_tokens": 2000}
WEATHER = {
    "name": "get_weather",
    "description": "The weather of a place.",
    "input_schema": {"type": "object", "properties": {"location": {"type": "string"}}, "required": ["location"]},
}
SUM = [{"role": "user", "content": "2 + 2?"}]
PARIS = [{"role": "user", "content": "What's the weather in Paris?"}]
REQUESTS = {
    "budget": {"model": OLD, "thinking": BUDGET, "messages": SUM},
    "adaptive": {"model": BETWEEN, "thinking": {"type": "adaptive"}, "messages": SUM},
    "summarized": {"model": NEW, "thinking": {"type": "adaptive", "display": "summarized"}, "messages": SUM},
    "omitted": {"model": NEW, "thinking": {"type": "adaptive"}, "messages": SUM},
    "redacted": {"model": OLD, "thinking": BUDGET, "messages": [{"role": "user", "content": f"2 + 2? {REDACTED}"}]},
    "tools": {"model": OLD, "thinking": BUDGET, "tools": [WEATHER], "messages": PARIS},
    "omitted_tools": {"model": NEW, "thinking": {"type": "adaptive"}, "tools": [WEATHER], "messages": PARIS},
    "interleaved": {
        "model": BETWEEN,
        "thinking": {"type": "enabled", "budget_tokens": 10000},
        "tools": [WEATHER],
        "messages": PARIS,
        "betas": ["interleaved-thinking-2025-05-14"],
    },
}
FIELDS = {
    "thinking": ["thinking"],
    "redacted_thinking": [],
    "text": ["text"],
    "tool_use": ["name", "input"],
}


def plain(content):
    """The blocks without what chance made of them, but with whether chance made anything."""
    return [
        {
            "type": block.type,
            **{name: getattr(block, name) for name in FIELDS[block.type]},
            **{name: bool(getattr(block, name)) for name in ("signature", "data", "id") if hasattr(block, name)},
        }
        for block in content
    ]


def told(message):
    usage = message.usage
    return {
        "content": plain(message.content),
        "stop_reason": message.stop_reason,
        "usage": [usage.input_tokens, usage.output_tokens],
    }


def replies(client, request):
    """The reply as a whole, and as a stream adds it up."""
    messages = client.beta.messages if "betas" in request else client.messages
    whole = messages.create(max_tokens=5000, **request)
    pieces = {"thinking": "", "text": ""}
    with messages.stream(max_tokens=5000, **request) as stream:
        for event in stream:
            if event.type in pieces:
                pieces[event.type] += getattr(event, event.type)
        return whole, stream.get_final_message(), pieces


def next_turn(request, content):
    """The request that goes on behind this content, which is what the SDK made of a reply."""
    calls = [block for block in content if block.type == "tool_use"]
    results = [{"type": "tool_result", "tool_use_id": call.id, "content": "72"} for call in calls]
    user = {"role": "user", "content": results or "Are you sure?"}
    return {**request, "messages": [*request["messages"], {"role": "assistant", "content": content}, user]}


def rounds(client):
    found = {}
    for name, request in REQUESTS.items():
        whole, final, pieces = replies(client, request)
        again = [replies(client, next_turn(request, message.content)) for message in (whole, final)]
        found[name] = {
            "whole": told(whole),
            "streamed": told(final),
            "pieces": pieces,
            "again": [told(message) for both in again for message in both[:2]],
        }
    return found


def tampered(client):
    """What comes of signatures that are changed at any place, by their place."""
    found = {}
    for name in ("budget", "omitted", "tools", "redacted"):
        request = REQUESTS[name]
        whole = client.messages.create(max_tokens=5000, **request)
        block = whole.content[0]
        field = "data" if block.type == "redacted_thinking" else "signature"
        seal = getattr(block, field)
        for at in (0, 1, 6, 10, 24, len(seal) // 2, len(seal) - 5):
            changed = seal[:at] + ("A" if seal[at] != "A" else "B") + seal[at + 1 :]
            content = [block.model_copy(update={field: changed}), *whole.content[1:]]
            try:
                client.messages.create(max_tokens=5000, **next_turn(request, content))
                found[f"{name} {at}"] = "no error"
            except anthropic.BadRequestError as error:
                found[f"{name} {at}"] = error.body["error"]["message"]
    return found


def asynchronous(_):
    async def run():
        async with anthropic.AsyncAnthropic() as client:
            request = REQUESTS["budget"]
            async with client.messages.stream(max_tokens=5000, **request) as stream:
                final = await stream.get_final_message()
            return told(await client.messages.create(max_tokens=5000, **next_turn(request, final.content)))

    return asyncio.run(run())


def count_tokens(client):
    request = REQUESTS["budget"]
    whole = client.messages.create(max_tokens=5000, **request)
    more = next_turn(request, whole.content)
    counted = client.messages.count_tokens(**more).input_tokens
    return {"counted": counted, "used": client.messages.create(max_tokens=5000, **more).usage.input_tokens}


@beta_tool
def add(a: int, b: int) -> str:
    """Add two numbers."""
    return str(a + b)


@beta_tool
def divide(a: int, b: int) -> str:
    """Divide one number by another."""
    return str(a / b)


def runner(client):
    modes = {
        "budget": {"model": OLD, "thinking": BUDGET},
        "interleaved": {"model": BETWEEN, "thinking": BUDGET, "betas": ["interleaved-thinking-2025-05-14"]},
        "adaptive": {"model": NEW, "thinking": {"type": "adaptive"}},
    }
    found = {}
    for name, mode in modes.items():
        request = {"max_tokens": 5000, "messages": [{"role": "user", "content": "Please add and divide."}], **mode}
        plainly = [plain(m.content) for m in client.beta.messages.tool_runner(tools=[add, divide], **request)]
        streams = client.beta.messages.tool_runner(tools=[add, divide], stream=True, **request)
        found[name] = [plainly, [plain(stream.get_final_message().content) for stream in streams]]
    return found


SCENARIOS = [rounds, tampered, asynchronous, count_tokens, runner]


def main():
    client = anthropic.Anthropic()
    results = {"version": anthropic.__version__}
    for scenario in SCENARIOS:
        try:
            results[scenario.__name__] = scenario(client)
        except Exception:
            results[scenario.__name__] = {"raised": traceback.format_exc(limit=-4)}
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
