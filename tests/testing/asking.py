"""What the tests of the server for applications ask it."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import anthropic

from antiphon.testing import ScriptedServer

HELLO: dict[str, Any] = {
    "model": "claude-opus-4-8",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Hello?"}],
}
TOOL = {"name": "look_up", "input_schema": {"type": "object", "properties": {"what": {"type": "string"}}}}
SEARCH = {"type": "web_search_20250305", "name": "web_search"}


@contextmanager
def client_of(url: str, key: str, *, retries: int = 0) -> Generator[anthropic.Anthropic]:
    """The SDK's client, which asks once."""
    with anthropic.Anthropic(base_url=url, api_key=key, max_retries=retries) as client:
        yield client


def ask(server: ScriptedServer, *, retries: int = 0, **more: Any) -> anthropic.types.Message:
    """A request and its reply."""
    with client_of(server.url, server.api_key, retries=retries) as client:
        create: Any = client.messages.create
        return create(**{**HELLO, **more})


def hear(server: ScriptedServer, **more: Any) -> tuple[list[str], anthropic.types.Message | Exception]:
    """The pieces of text of a streamed reply, and what it comes to."""
    heard: list[str] = []
    with client_of(server.url, server.api_key) as client:
        try:
            with client.messages.stream(**{**HELLO, **more}) as stream:
                for text in stream.text_stream:
                    heard.append(text)  # noqa: PERF402 - what came before an error counts
                return heard, stream.get_final_message()
        except Exception as problem:
            return heard, problem
