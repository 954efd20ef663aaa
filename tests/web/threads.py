"""A conversation with an app, told whole in every request, or in a thread."""

from collections.abc import Sequence
from typing import Any

from antiphon.testing import Answer
from tests.web.thinking_app import ThinkingApp

Json = dict[str, Any]

THREADS = "message-threads-2026-08-12"
CREATE: Json = {"thread": {"type": "create"}}
ONCE = ("system", "tools")


def user(content: Any) -> Json:
    return {"role": "user", "content": content}


def said(reply: Json) -> Json:
    """A reply as a client sends it back."""
    return {"role": "assistant", "content": reply["content"]}


def go_on(reply: Json, request: Json, *messages: Json, **more: Any) -> Json:
    """The request that goes on behind a reply with these messages, as the official SDK makes it."""
    kept = {name: value for name, value in request.items() if name not in ONCE}
    thread = {"type": "continue", "previous_message_id": reply["id"]}
    return {**kept, "messages": list(messages), "thread": thread, **more}


async def in_full(app: ThinkingApp, request: Json, turns: Sequence[Sequence[Json]], *betas: str) -> list[Json]:
    """The replies to a request and what is said behind each of them, with the whole conversation every time."""
    replies = [await app.reply(request, *betas)]
    messages: list[Json] = list(request["messages"])
    for turn in turns:
        messages += [said(replies[-1]), *turn]
        replies.append(await app.reply({**request, "messages": messages}, *betas))
    return replies


async def in_a_thread(app: ThinkingApp, request: Json, turns: Sequence[Sequence[Json]], *betas: str) -> list[Json]:
    """The same in a thread."""
    replies = [await app.reply({**request, **CREATE}, THREADS, *betas)]
    for turn in turns:
        replies.append(await app.reply(go_on(replies[-1], request, *turn), THREADS, *betas))
    return replies


def code(answer: Answer) -> tuple[int, str | None]:
    """The status of an answer, and the code of its error."""
    return answer.status, (answer.json["error"].get("details") or {}).get("error_code")


NOT_FOUND = (404, "thread_not_found")
CONTINUED = (400, "thread_already_continued")
IN_FLIGHT = (400, "thread_continue_in_flight")
MISMATCH = (400, "thread_fingerprint_mismatch")
UNSUPPORTED = (400, "thread_unsupported_request")
