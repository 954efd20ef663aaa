"""What a reply goes on with is the request that a client would have sent."""

from typing import Any

import orjson
import pytest

from antiphon.request.continued import continued
from antiphon.request.intake import parse_create
from antiphon.wire.reply import ReplyBlock, ReplyServerResult, ReplyServerToolUse, ReplyText
from antiphon.wire.request import CreateMessage
from tests.request.requests import SEARCH, Json, assistant, body, context, text, user

CALLER: Json = {"caller": {"type": "direct"}}
CALL: Json = {
    "type": "server_tool_use",
    "id": "srvtoolu_1",
    "name": "web_search",
    "input": {"query": "cats"},
}
FOUND: Json = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [], **CALLER}
SAID: list[ReplyBlock] = [
    ReplyText(text="Let me look."),
    ReplyServerToolUse(id="srvtoolu_1", name="web_search", input={"query": "cats"}),
    ReplyServerResult(type="web_search_tool_result", tool_use_id="srvtoolu_1", content=[]),
]


def parsed(*messages: Json, **more: Any) -> CreateMessage:
    return parse_create(orjson.dumps(body(*messages, tools=[SEARCH], **more)), context())


def test_it_is_the_request_with_the_blocks_of_the_reply_behind_it() -> None:
    sent_back = parsed(user("Cats?"), assistant([text("Let me look."), CALL, FOUND]), max_tokens=60)
    gone_on = continued(parsed(user("Cats?")), context(), SAID, max_tokens=60, answered=True)
    assert gone_on.model_dump(exclude_none=True) == sent_back.model_dump(exclude_none=True)


@pytest.mark.parametrize("forced", [{"type": "any"}, {"type": "tool", "name": "web_search"}])
def test_a_call_that_was_asked_for_is_asked_for_once(forced: Json) -> None:
    request = parsed(user(), tool_choice={**forced, "disable_parallel_tool_use": True})
    free = continued(request, context(), SAID, max_tokens=60, answered=True).tool_choice
    assert free is not None
    assert (free.type, getattr(free, "disable_parallel_tool_use", None)) == ("auto", True)
    still = continued(request, context(), SAID, max_tokens=60, answered=False).tool_choice
    assert still == request.tool_choice


@pytest.mark.parametrize("choice", [None, {"type": "auto"}, {"type": "none"}])
def test_a_choice_that_forces_nothing_stays_as_it_is(choice: Json | None) -> None:
    request = parsed(user(), **({} if choice is None else {"tool_choice": choice}))
    assert continued(request, context(), SAID, max_tokens=60, answered=True).tool_choice == request.tool_choice
