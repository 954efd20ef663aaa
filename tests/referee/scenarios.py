"""What an application does with the official Python SDK, through its public API only.

Run by the interpreter of the environment under test (the newest line, and one of the 0.x line):
`python scenarios.py` with ANTHROPIC_BASE_URL and ANTHROPIC_API_KEY set prints one JSON object, a key a scenario.
Imports nothing of Antiphon.
"""

import asyncio
import json
import sys
import traceback

import anthropic

MODEL = "claude-opus-4-5-20251101"
HELLO = [{"role": "user", "content": "Say hello to the world."}]
COLORS = [{"role": "user", "content": "Name three primary colors."}]  # "The primary colors are", however it is drawn


def text_of(message):
    return "".join(block.text for block in message.content if block.type == "text")


def basic(client):
    message = client.messages.create(model=MODEL, max_tokens=12, messages=COLORS)
    return {
        "text": text_of(message),
        "type": message.type,
        "role": message.role,
        "model": message.model,
        "stop_reason": message.stop_reason,
        "stop_sequence": message.stop_sequence,
        "usage": [message.usage.input_tokens, message.usage.output_tokens],
        "cache": [message.usage.cache_creation_input_tokens, message.usage.cache_read_input_tokens],
        "id": message.id,
        "request_id": message._request_id,
    }


def multi_turn(client):
    messages = [
        {"role": "user", "content": "My name is Ada."},
        {"role": "assistant", "content": [{"type": "text", "text": "Nice to meet you, Ada!"}]},
        {"role": "user", "content": [{"type": "text", "text": "What is my name?"}]},
    ]
    first = client.messages.create(model=MODEL, max_tokens=10, system="Answer briefly.", messages=messages)
    # The reply goes back as the SDK gave it: blocks with every field of a response.
    again = [*messages, {"role": "assistant", "content": first.content}, {"role": "user", "content": "Thanks!"}]
    second = client.messages.create(model=MODEL, max_tokens=10, messages=again)
    return {
        "texts": [text_of(first), text_of(second)],
        "grew": second.usage.input_tokens > first.usage.input_tokens,
    }


def prefill(client):
    message = client.messages.create(
        model="claude-sonnet-4-5",
        max_tokens=1,
        messages=[
            {"role": "user", "content": "What is latin for Ant? (A) Apoidea, (B) Rhopalocera, (C) Formicidae"},
            {"role": "assistant", "content": "The answer is ("},
        ],
    )
    return {"text": text_of(message), "stop_reason": message.stop_reason, "output": message.usage.output_tokens}


def stop_sequence(client):
    message = client.messages.create(
        model=MODEL,
        max_tokens=60,
        stop_sequences=["NEVER", "colors"],
        messages=COLORS,
    )
    return {"text": text_of(message), "stop_reason": message.stop_reason, "stop_sequence": message.stop_sequence}


def stream(client):
    pieces, kinds = [], []
    with client.messages.stream(model=MODEL, max_tokens=5, messages=COLORS) as events:
        for event in events:
            kinds.append(event.type)
            if event.type == "text":
                pieces.append(event.text)
        final = events.get_final_message()
    whole = client.messages.create(model=MODEL, max_tokens=5, messages=COLORS)
    return {
        "joined": "".join(pieces) == text_of(final),
        "pieces": len(pieces),
        "same_as_whole": text_of(final) == text_of(whole),
        "stop": [final.stop_reason, whole.stop_reason],
        "usage": [
            [final.usage.input_tokens, final.usage.output_tokens],
            [whole.usage.input_tokens, whole.usage.output_tokens],
        ],
        "first_and_last": [kinds[0], kinds[-1]],
    }


def text_stream(client):
    with client.messages.stream(max_tokens=12, messages=COLORS, model="claude-opus-4-8") as events:
        return {"text": "".join(events.text_stream)}


def raw_events(client):
    events = client.messages.create(model=MODEL, max_tokens=10, messages=HELLO, stream=True)
    return {"types": [event.type for event in events]}


def asynchronous(_):
    async def run():
        async with anthropic.AsyncAnthropic() as client:
            first, second = await asyncio.gather(
                client.messages.create(model=MODEL, max_tokens=12, messages=COLORS),
                client.messages.create(model=MODEL, max_tokens=12, messages=COLORS),
            )
            pieces = []
            async with client.messages.stream(model=MODEL, max_tokens=12, messages=COLORS) as events:
                pieces.extend([text async for text in events.text_stream])
            return {"texts": [text_of(first), text_of(second), "".join(pieces)], "ids": [first.id, second.id]}

    return asyncio.run(run())


def count_tokens(client):
    conversation = {
        "model": MODEL,
        "system": [{"type": "text", "text": "You are terse."}, {"type": "text", "text": "Be kind."}],
        "messages": [
            *HELLO,
            {"role": "assistant", "content": "Hello!"},
            {"role": "user", "content": "Ünïcode 漢字 🎼"},
        ],
    }
    counted = client.messages.count_tokens(**conversation).input_tokens
    used = client.messages.create(max_tokens=1, **conversation).usage.input_tokens
    beta = client.beta.messages.count_tokens(**conversation).input_tokens
    return {"counted": counted, "used": used, "beta": beta}


def models(client):
    listed = [model.id for model in client.models.list(limit=4)]  # the SDK walks through all pages
    one = client.models.retrieve("claude-opus-4-5")
    return {"ids": listed, "unique": len(set(listed)) == len(listed), "resolved": one.id, "type": one.type}


def beta_create(client):
    message = client.beta.messages.create(
        model=MODEL, max_tokens=10, messages=HELLO, betas=["interleaved-thinking-2025-05-14", "made-up-2030-01-01"]
    )
    return {"text": text_of(message)}


def raw_response(client):
    reply = client.messages.with_raw_response.create(model=MODEL, max_tokens=5, messages=HELLO)
    return {"status": reply.http_response.status_code, "request_id": reply.headers.get("request-id")}


def error_classes(client):
    seen = {}
    attempts = {
        "unknown model": lambda: client.messages.create(model="no-such-model", max_tokens=5, messages=HELLO),
        "empty text": lambda: client.messages.create(
            model=MODEL, max_tokens=5, messages=[{"role": "user", "content": ""}]
        ),
        "too many tokens": lambda: client.with_options(timeout=99).messages.create(
            model=MODEL, max_tokens=10**6, messages=HELLO
        ),
        "unknown page": lambda: client.get("/v1/no_such_thing", cast_to=object),
    }
    for name, attempt in attempts.items():
        try:
            attempt()
            seen[name] = "no error"
        except anthropic.APIStatusError as error:
            seen[name] = [
                type(error).__name__,
                error.status_code,
                error.body["error"]["message"],
                bool(error.request_id),
            ]
    return seen


def stream_error(client):
    try:
        with client.messages.stream(model="no-such-model", max_tokens=5, messages=HELLO) as events:
            list(events)
    except anthropic.NotFoundError as error:
        return {"message": error.body["error"]["message"]}
    return {"message": "no error"}


LOCAL = "smollm2-135m-instruct"
BRIEF = {"type": "ephemeral"}
RULES = "Answer in one word, whatever you are asked, and never explain what you mean by it. " * 6


def numbers(usage):
    return [usage.input_tokens, usage.cache_creation_input_tokens, usage.cache_read_input_tokens]


def caching(client):
    """The same prefix four times: marked by hand and automatically, whole and in a stream."""
    found = {}
    for kind in ("explicit", "automatic"):
        marked = kind == "explicit"
        system = [
            {
                "type": "text",
                "text": f"{anthropic.__version__} {kind}. {RULES}",
                **({"cache_control": BRIEF} if marked else {}),
            }
        ]
        asked = {"model": LOCAL, "system": system, "messages": COLORS}
        call = {**asked, "max_tokens": 3, **({} if marked else {"cache_control": BRIEF})}
        first = client.messages.create(**call)
        second = client.messages.create(**call)
        opened = ended = None
        with client.messages.stream(**call) as events:
            for event in events:
                if event.type == "message_start":
                    opened = numbers(event.message.usage)
                elif event.type == "message_delta":
                    ended = numbers(event.usage)
            final = events.get_final_message()
        found[kind] = {
            "first": numbers(first.usage),
            "split": [
                first.usage.cache_creation.ephemeral_5m_input_tokens,
                first.usage.cache_creation.ephemeral_1h_input_tokens,
            ],
            "second": numbers(second.usage),
            "opened": opened,
            "ended": ended,
            "final": numbers(final.usage),
            "counted": client.messages.count_tokens(**asked).input_tokens,
        }
    return found


SCENARIOS = [
    basic,
    multi_turn,
    prefill,
    stop_sequence,
    stream,
    text_stream,
    raw_events,
    asynchronous,
    count_tokens,
    models,
    beta_create,
    raw_response,
    error_classes,
    stream_error,
    caching,
]


def main():
    client = anthropic.Anthropic()
    results = {"version": anthropic.__version__}
    for scenario in SCENARIOS:
        try:
            results[scenario.__name__] = scenario(client)
        except Exception:
            results[scenario.__name__] = {"raised": traceback.format_exc(limit=-3)}
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
