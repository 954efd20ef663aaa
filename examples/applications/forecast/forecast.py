"""Asks a model for the weather, with a tool that knows it."""

import asyncio

from anthropic import Anthropic, AsyncAnthropic

MODEL = "claude-opus-4-8"
WEATHER = {
    "name": "get_weather",
    "description": "The weather in a city, now.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


class Refused(Exception):
    """The model will not say it."""


def forecast(question: str, weather: dict[str, str], client: Anthropic | None = None) -> str:
    """The model's answer. `weather`: what the tool knows, by city."""
    client = client or Anthropic()
    messages = [{"role": "user", "content": question}]
    while True:
        reply = client.messages.create(model=MODEL, max_tokens=500, tools=[WEATHER], messages=messages)
        if reply.stop_reason == "refusal":
            raise Refused
        if reply.stop_reason not in ("tool_use", "pause_turn"):
            return "".join(block.text for block in reply.content if block.type == "text")
        messages.append({"role": "assistant", "content": reply.content})
        if reply.stop_reason == "tool_use":
            calls = [block for block in reply.content if block.type == "tool_use"]
            messages.append({"role": "user", "content": [answer(call, weather) for call in calls]})


def answer(call, weather: dict[str, str]) -> dict:
    """The result of a call."""
    city = call.input["city"]
    known = city in weather
    text = weather[city] if known else f"no weather of {city}"
    return {"type": "tool_result", "tool_use_id": call.id, "content": text, "is_error": not known}


async def read_aloud(text: str, client: AsyncAnthropic | None = None) -> list[str]:
    """What comes of a stream, as it comes; what came before it broke off is not lost."""
    client = client or AsyncAnthropic()
    heard: list[str] = []
    try:
        async with client.messages.stream(
            model=MODEL, max_tokens=500, messages=[{"role": "user", "content": text}]
        ) as stream:
            async for piece in stream.text_stream:
                heard.append(piece)
    except Exception:
        heard.append("…")
    return heard


def main() -> None:
    print(forecast("What is the weather in Paris?", {"Paris": "sunny, 24 degrees"}))
    print(*asyncio.run(read_aloud("Say something.")))
