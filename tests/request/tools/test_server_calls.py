"""Which of a conversation's calls wait for the server."""

import orjson

from antiphon.request.case import Case
from antiphon.request.intake import parse_create
from antiphon.request.tools.server_calls import awaited, waiting
from antiphon.request.tools.server_kinds import is_server_result
from tests.request.requests import (
    SEARCH,
    Json,
    assistant,
    body,
    context,
    local,
    search_result,
    server_call,
    text,
    user,
)


def case(*blocks: Json) -> Case:
    sent = body(user(), assistant(list(blocks)), tools=[SEARCH])
    return Case(parse_create(orjson.dumps(sent), context()), local(), context())


def test_a_call_without_a_result_waits_and_an_answered_one_does_not() -> None:
    asked = case(server_call("srvtoolu_1"), search_result("srvtoolu_1"), server_call("srvtoolu_2"))
    assert [call.id for call in waiting(asked)] == ["srvtoolu_2"]


def test_nothing_waits_where_nothing_was_called() -> None:
    assert waiting(case(text("Hi"))) == ()


def test_what_waits_is_measured_as_an_empty_result() -> None:
    [told] = awaited(case(server_call("srvtoolu_1")))
    assert (told.call_id, told.text) == ("srvtoolu_1", "")


def test_results_of_the_servers_tools_are_known_by_their_kind() -> None:
    items = case(text("Hi"), server_call("srvtoolu_1"), search_result("srvtoolu_1")).items
    assert [is_server_result(item.block) for item in items] == [False, False, False, True]
