"""Requests as they travel, and what the server says of them."""

from typing import Any

import orjson

from antiphon.dialogue.conversation import Conversation
from antiphon.dialogue.thinking import Thinker
from antiphon.errors import InvalidRequest
from antiphon.ports.server_tools import NO_SERVER_TOOLS, ServerTools
from antiphon.profiles import Profile
from antiphon.request.asked import Asked, Target
from antiphon.request.case import Case, Found, Issue
from antiphon.request.intake import parse_count, parse_create
from antiphon.request.ladder import RUNGS, check
from antiphon.request.media.wanted import NO_MEDIA, Media
from antiphon.request.sealed.found import NOTHING_FOUND
from antiphon.request.sealed.opened import NOTHING_SEALED, Opened
from antiphon.request.sealed.thoughts import NO_THOUGHTS, Thoughts
from antiphon.request.told.conversation import lower
from antiphon.request.told.thoughts import kept
from antiphon.wire.base import WireContext
from antiphon.wire.request import CountTokens, CreateMessage
from tests.profiles.builtin import builtin_catalogue

Json = dict[str, Any]

# A model whose rules are in nobody's way: prefill, forced calls, every way of thinking, free sampling.
LOCAL = "tiny"

CATALOGUE = builtin_catalogue().with_local(LOCAL, "Tiny", 500_000, "2026-11-01T00:00:00Z")

YET = " not supported by this server yet."

NOT_HERE = " not enabled on this server."

TOOL: Json = {"name": "get_time", "input_schema": {"type": "object", "properties": {"zone": {"type": "string"}}}}

SEARCH: Json = {"type": "web_search_20250305", "name": "web_search"}

CODE: Json = {"type": "code_execution_20250825", "name": "code_execution"}


def tool(name: str = "a", **more: Any) -> Json:
    return {"name": name, "input_schema": {"type": "object", "properties": {}}, **more}


def user(content: Any = "Hello") -> Json:
    return {"role": "user", "content": content}


def assistant(content: Any = "Hi") -> Json:
    return {"role": "assistant", "content": content}


def system(content: Any = "Be brief", **more: Any) -> Json:
    return {"role": "system", "content": content, **more}


def text(words: str, **more: Any) -> Json:
    return {"type": "text", "text": words, **more}


def call(id: str, name: str = "get_time", **more: Any) -> Json:  # noqa: A002
    return {"type": "tool_use", "id": id, "name": name, "input": {}, **more}


def result(id: str, content: Any = "noon", **more: Any) -> Json:  # noqa: A002
    return {"type": "tool_result", "tool_use_id": id, "content": content, **more}


def thought(signature: str = "c2ln") -> Json:
    return {"type": "thinking", "thinking": "Hm.", "signature": signature}


def redacted(data: str = "ZGF0YQ==") -> Json:
    return {"type": "redacted_thinking", "data": data}


def server_call(id: str, name: str = "web_search") -> Json:  # noqa: A002
    return {"type": "server_tool_use", "id": id, "name": name, "input": {}}


def search_result(id: str) -> Json:  # noqa: A002
    return {"type": "web_search_tool_result", "tool_use_id": id, "content": []}


def image() -> Json:
    return {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}


def body(*messages: Json, **more: Any) -> Json:
    return {"model": LOCAL, "max_tokens": 100, "messages": list(messages) or [user()], **more}


def context(*betas: str, version: Any = "2023-06-01") -> WireContext:
    return WireContext(version=version, betas=frozenset(betas))


def local() -> Profile:
    """The rules of the model that are in nobody's way."""
    return CATALOGUE.profiles[LOCAL]


def issue(request: Json, *betas: str, version: Any = "2023-06-01") -> Issue | None:
    """What is wrong with the request, by its shape or by its rules, in the order of the server."""
    headers = context(*betas, version=version)
    profile = CATALOGUE.resolve(request["model"])
    assert profile is not None
    try:
        parsed = (parse_create if "max_tokens" in request else parse_count)(orjson.dumps(request), headers)
    except InvalidRequest as refused:
        return Issue(refused.message, refused.details)
    case = Case(parsed, profile, headers)
    found = check(case)
    # No rung that is left out for what the request does not hold would have been the first to complain.
    assert found == next((said for rung in RUNGS if (said := rung(case)) is not None), None)
    return found


def verdict(request: Json, *betas: str, version: Any = "2023-06-01") -> str | None:
    """The message of the refusal, None where the request is answered."""
    found = issue(request, *betas, version=version)
    return None if found is None else found.message


def wrong(request: Json, *betas: str, version: Any = "2023-06-01") -> str | None:
    """The message of the refusal of a wrong request, None where the API would take it."""
    message = verdict(request, *betas, version=version)
    return None if message is None or message.endswith((YET, NOT_HERE)) else message


def asked(
    request: CreateMessage,
    headers: WireContext | None = None,
    profile: Profile | None = None,
    opened: Opened = NOTHING_SEALED,
    media: Media = NO_MEDIA,
    server_tools: ServerTools = NO_SERVER_TOOLS,
    thinker: Thinker = "universal",
) -> Asked[CreateMessage]:
    """A request that nothing is wrong with."""
    rules = profile or local()
    case = Case(request, rules, headers or context(), server_tools=server_tools)
    return Asked(request, case, Target(rules, rules.window, LOCAL, thinker=thinker), opened, media=media)


def told_of(
    request: CreateMessage | CountTokens,
    headers: WireContext,
    profile: Profile | None = None,
    *,
    thoughts: Thoughts = NO_THOUGHTS,
    found: Found = NOTHING_FOUND,
    media: Media = NO_MEDIA,
    server_tools: ServerTools = NO_SERVER_TOOLS,
    clearing: bool = True,
    thinker: Thinker = "universal",
) -> Conversation:
    """What the model is told of a request that nothing is wrong with."""
    rules = profile or local()
    opened = Opened(thoughts, found=found)
    if isinstance(request, CreateMessage):
        whole = asked(request, headers, rules, opened, media, server_tools, thinker)
        return lower(whole, kept(whole.case, thoughts, clearing=clearing))
    case = Case(request, rules, headers, server_tools=server_tools)
    told = kept(case, thoughts, clearing=clearing)
    return lower(Asked(request, case, Target(rules, rules.window, LOCAL, thinker=thinker), opened, media=media), told)
