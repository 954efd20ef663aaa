"""Calls that run inside a server, and their results: each has the other, or may still wait."""

import orjson
import pytest

from antiphon.request.case import Case
from antiphon.request.intake import parse_create
from antiphon.request.rules.server_pairing import server_calls_and_results
from tests.request.requests import SEARCH, Json, assistant, body, context, local, search_result, server_call, user


def judged(*messages: Json) -> str | None:
    request = parse_create(orjson.dumps(body(*messages, tools=[SEARCH])), context())
    issue = server_calls_and_results(Case(request, local(), context()))
    return None if issue is None else issue.message


CALL = server_call("srvtoolu_1")
RESULT = search_result("srvtoolu_1")


@pytest.mark.promise("errors.tool-pairing")
@pytest.mark.parametrize(
    ("messages", "refusal"),
    [
        ([user(), assistant([CALL, RESULT])], None),
        ([user(), assistant([CALL])], None),
        (
            [user(), assistant([CALL]), user()],
            "messages.1: `web_search` tool use with id `srvtoolu_1` was found without a corresponding "
            "`web_search_tool_result` block",
        ),
        (
            [user(), assistant([RESULT])],
            "messages.1.content.0: unexpected `tool_use_id` found in `web_search_tool_result` blocks: srvtoolu_1. "
            "Each `web_search_tool_result` block must have a corresponding `server_tool_use` block before it.",
        ),
    ],
)
def test_a_call_has_its_result_or_waits_at_the_end(messages: list[Json], refusal: str | None) -> None:
    assert judged(*messages) == refusal
