"""Requests with fallbacks, and what replies to them say."""

from typing import Any

from antiphon.config import GuardRule
from antiphon.testing.bridge import Answer, Bridge

Json = dict[str, Any]

HEADER = "server-side-fallback-2026-07-01"
OPUS, HAIKU, SONNET = "claude-opus-4-8", "claude-haiku-4-5-20251001", "claude-sonnet-4-5-20250929"
SCRIPT = """
[[reply]]
match = "poem"
chunks = ["Here ", "is a ", "sec", "ret", " poem."]

[[reply]]
text = "Fine."
"""
LYNX = GuardRule("lynx", ("lynx",), "request", "cyber", "Not that.", (OPUS,))
SECRET = GuardRule("secret", ("secret",), "reply", "bio", models=(OPUS,))


def body(content: Any = "lynx", *fallbacks: str | Json, **more: Any) -> Json:
    entries = [{"model": each} if isinstance(each, str) else each for each in fallbacks or (HAIKU,)]
    messages = [{"role": "user", "content": content}]
    return {"model": OPUS, "max_tokens": 60, "messages": messages, "fallbacks": entries, **more}


async def ask(bridge: Bridge, asked: Json, beta: str = HEADER) -> Answer:
    answer = await bridge.post(asked, headers={"anthropic-beta": beta})
    assert answer.status == 200, answer.body
    return answer


def hop(declined: str, serves: str, category: str | None = "cyber") -> Json:
    return {
        "type": "fallback",
        "from": {"model": declined},
        "to": {"model": serves},
        "trigger": {"type": "refusal", "category": category},
    }


def entries(usage: Json) -> list[tuple[str, str, int]]:
    """Of each iteration its type, its model and what it has written."""
    return [(one["type"], one["model"], one["output_tokens"]) for one in usage["iterations"]]
