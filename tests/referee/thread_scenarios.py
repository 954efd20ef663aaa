"""What an application does with the official Python SDK's message threads, through its public API only.

Prints one JSON object, a key a scenario. Imports nothing of Antiphon. FRONTS: servers that requests go to in turn.
`restart` is told on standard output, and waits for a line, while the server is started anew.
"""

import asyncio
import json
import os
import sys
import traceback

import anthropic
import httpx2
from anthropic import beta_async_tool, beta_tool

REQUEST = {
    "model": "claude-opus-4-8",
    "max_tokens": 500,
    "system": "Work step by step.",
    "messages": [{"role": "user", "content": "Please add and double."}],
}
FRONTS = os.environ["FRONTS"].split(",")
sent = []
restarts = []


class Fronts(httpx2.HTTPTransport):
    """Sends each request to the next of the servers, and notes what was said of threads."""

    def handle_request(self, request):
        request.url = to_front(request.url)
        response = super().handle_request(request)
        note(request, response)
        return response


class AsyncFronts(httpx2.AsyncHTTPTransport):
    async def handle_async_request(self, request):
        request.url = to_front(request.url)
        response = await super().handle_async_request(request)
        note(request, response)
        return response


def to_front(url):
    front = httpx2.URL(FRONTS[len(sent) % len(FRONTS)])
    return url.copy_with(host=front.host, port=front.port)


def note(request, response):
    body = json.loads(request.content)
    thread = (body.get("thread") or {}).get("type")
    once = sorted(key for key in ("system", "tools") if key in body)
    sent.append([response.status_code, thread, len(body["messages"]), once])


@beta_tool
def add(a: int, b: int) -> str:
    """Add two numbers.

    Args:
        a: The first number.
        b: The second number.
    """
    if restarts:
        restarts.pop()
        print("restart", flush=True)
        sys.stdin.readline()
    return str(a + b)


@beta_tool
def multiply(a: int, b: int) -> str:
    """Multiply two numbers.

    Args:
        a: The first number.
        b: The second number.
    """
    return str(a * b)


@beta_async_tool
async def add_async(a: int, b: int) -> str:
    """Add two numbers."""
    return str(a + b)


@beta_async_tool
async def multiply_async(a: int, b: int) -> str:
    """Multiply two numbers."""
    return str(a * b)


add_async.name = "add"
multiply_async.name = "multiply"


def ask(content):
    return {"role": "user", "content": content}


def told(message):
    return [block.text if block.type == "text" else block.name for block in message.content]


def outcome(messages, inputs=()):
    return {"messages": messages, "sent": list(sent), "input_tokens": list(inputs)}


def runner(client):
    messages = list(client.beta.messages.tool_runner(tools=[add, multiply], **REQUEST))
    return outcome([told(m) for m in messages], [m.usage.input_tokens for m in messages])


def streaming_runner(client):
    streams = client.beta.messages.tool_runner(tools=[add, multiply], stream=True, **REQUEST)
    return outcome([told(stream.get_final_message()) for stream in streams])


def asynchronous_runner(_):
    async def run():
        http = httpx2.AsyncClient(transport=AsyncFronts())
        async with anthropic.AsyncAnthropic(http_client=http) as client:
            tools = [add_async, multiply_async]
            return [told(m) async for m in client.beta.messages.tool_runner(tools=tools, **REQUEST)]

    return outcome(asyncio.run(run()))


def without_a_thread(client):
    messages = list(client.beta.messages.tool_runner(tools=[add, multiply], thread=False, **REQUEST))
    return outcome([told(m) for m in messages], [m.usage.input_tokens for m in messages])


def restarted_runner(client):
    restarts.append(True)
    return runner(client)


def helper(client):
    thread = client.beta.messages.thread(model=REQUEST["model"], max_tokens=100, system="Be brief.")
    replies = [told(thread.send(ask("My name is Ada.")))]
    fork = thread.fork()
    with thread.stream(ask("What is my name?")) as stream:
        replies.append(told(stream.get_final_message()))
    replies.append(told(fork.send(ask("What is my name?"))))
    return outcome(replies)


def restarted_helper(client):
    thread = client.beta.messages.thread(model=REQUEST["model"], max_tokens=100)
    replies = [told(thread.send(ask("My name is Ada.")))]
    print("restart", flush=True)
    sys.stdin.readline()
    replies.append(told(thread.send(ask("What is my name?"))))
    return outcome(replies)


SCENARIOS = [runner, streaming_runner, asynchronous_runner, without_a_thread, helper]
RESTARTED = [restarted_runner, restarted_helper]


def main():
    results = {}
    for scenario in RESTARTED if "restarts" in sys.argv else SCENARIOS:
        sent.clear()
        client = anthropic.Anthropic(http_client=httpx2.Client(transport=Fronts()), max_retries=0)
        try:
            results[scenario.__name__] = scenario(client)
        except Exception:
            results[scenario.__name__] = {"raised": traceback.format_exc(limit=-4), "sent": list(sent)}
    print(json.dumps(results))


if __name__ == "__main__":
    main()
