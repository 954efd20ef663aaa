"""The prefixes of a request, and what their keys depend on."""

from typing import Any

import orjson
import pytest

from antiphon.request.caching import Prefixes, has_marks, prefixes
from antiphon.request.intake import parse_create
from antiphon.request.sealed.opened import Opened
from antiphon.request.sealed.thoughts import Thoughts
from antiphon.seals import Sealed
from antiphon.wire.headers import KNOWN_BETAS
from antiphon.wire.request import CreateMessage
from tests.request.requests import (
    CATALOGUE,
    SEARCH,
    asked,
    assistant,
    body,
    call,
    context,
    image,
    result,
    system,
    text,
    thought,
    tool,
    user,
)

Json = dict[str, Any]

MARK: Json = {"cache_control": {"type": "ephemeral"}}
HOUR: Json = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}


def parsed(*messages: Json, **more: Any) -> CreateMessage:
    return parse_create(
        orjson.dumps(body(*messages, **more)), context(*(KNOWN_BETAS - {"fine-grained-tool-streaming-2025-05-14"}))
    )


def row(*messages: Json, tenant: str = "", profile: str = "tiny", **more: Any) -> Prefixes:
    request = parsed(*messages, **more)
    rules = CATALOGUE.resolve(profile)
    assert rules is not None
    return prefixes(asked(request, profile=rules), tenant)


def seconds(found: Prefixes) -> dict[str, int | None]:
    return {position.path: position.seconds for position in found.positions}


def keys(found: Prefixes) -> list[bytes]:
    return [position.key for position in found.positions]


def base(**more: Any) -> Prefixes:
    """A request with two tools, a system prompt of two blocks, and a short conversation."""
    said: Json = {
        "tools": [tool("a"), tool("b")],
        "system": [text("One."), text("Two.")],
        **more,
    }
    messages: list[Json] = said.pop("messages", [user("Hi"), assistant("Ho"), user("More")])
    return row(*messages, **said)


def shared(one: Prefixes, two: Prefixes) -> str:
    """The sections of which both have the same prefixes, by their initials."""
    sections = {"T": "tools.", "S": "system.", "M": "messages."}
    same = set(keys(one)) & set(keys(two))
    return "".join(
        name
        for name, begins in sections.items()
        if all(position.key in same for position in one.positions if position.path.startswith(begins))
    )


def test_positions_are_the_blocks_in_the_order_tools_system_messages() -> None:
    found = base()
    assert [position.path for position in found.positions] == [
        *("tools.0", "tools.1", "system.0", "system.1"),
        *("messages.0.content.0", "messages.1.content.0", "messages.2.content.0"),
    ]
    assert len(set(keys(found))) == 7


def test_the_same_request_has_the_same_keys_and_a_longer_one_begins_with_them() -> None:
    assert keys(base()) == keys(base())
    longer = base(messages=[user("Hi"), assistant("Ho"), user("More"), assistant("Yes"), user("On")])
    assert keys(longer)[:7] == keys(base())


@pytest.mark.promise("cache.marks-change-no-prompt")
def test_marks_are_no_part_of_a_key() -> None:
    marked = base(
        tools=[tool("a", **MARK), tool("b")],
        system=[text("One.", **HOUR), text("Two.")],
        messages=[user([text("Hi", **MARK)]), assistant("Ho"), user("More")],
        cache_control={"type": "ephemeral"},
    )
    assert keys(marked) == keys(base())
    inner = [result("toolu_1", [text("noon", **MARK)])]
    plain = [result("toolu_1", [text("noon")])]
    history = [user(), assistant([call("toolu_1")])]
    assert keys(row(*history, user(inner), tools=[tool("get_time")])) == keys(
        row(*history, user(plain), tools=[tool("get_time")])
    )


@pytest.mark.promise("cache.invalidation")
@pytest.mark.parametrize(
    ("change", "left"),
    [
        ({"tools": [tool("a"), tool("c")]}, ""),
        ({"tools": [tool("b"), tool("a")]}, ""),
        ({"tools": [tool("a", description="Does more."), tool("b")]}, ""),
        ({"tools": [tool("a"), tool("b"), SEARCH]}, "T"),
        ({"system": [text("One."), text("Three.")]}, "T"),
        ({"speed": "fast"}, "T"),
        ({"messages": [user("Hello"), assistant("Ho"), user("More")]}, "TS"),
        ({"tool_choice": {"type": "any"}}, "TS"),
        ({"tool_choice": {"type": "tool", "name": "a"}}, "TS"),
        ({"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}, "TS"),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, "TS"),
        ({"output_config": {"effort": "low"}}, "TS"),
        ({"output_config": {"task_budget": {"type": "tokens", "total": 50_000}}}, "TS"),
        ({"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}}, "TS"),
    ],
    ids=str,
)
def test_a_change_spoils_the_sections_that_the_table_says(change: Json, left: str) -> None:
    assert shared(base(), base(**change)) == left


@pytest.mark.promise("cache.invalidation")
@pytest.mark.parametrize(
    "change",
    [
        {"output_config": {"effort": "high"}},
        {"tool_choice": {"type": "auto"}},
        {"thinking": {"type": "disabled"}},
        {"max_tokens": 7},
        {"temperature": 0.5},
        {"stop_sequences": ["END"]},
        {"tools": [tool("a"), tool("b"), tool("c", defer_loading=True)]},
        {"system": [text("One."), text("Two.")]},
        {"metadata": {"user_id": "1"}},
    ],
    ids=str,
)
def test_what_does_not_reach_the_prompt_spoils_nothing(change: Json) -> None:
    assert shared(base(), base(**change)) == "TSM"


@pytest.mark.promise("cache.invalidation")
def test_a_picture_spoils_the_messages_and_citations_the_system_prompt() -> None:
    seen = base(messages=[user("Hi"), assistant("Ho"), user("More"), assistant("Yes"), user([image()])])
    assert shared(base(), seen) == "TS"
    paper: Json = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Cats."}}
    plain = base(messages=[user([paper])])
    cited = base(messages=[user([{**paper, "citations": {"enabled": True}}])])
    assert shared(plain, cited) == "T"


@pytest.mark.promise("cache.invalidation")
def test_a_system_message_behind_the_conversation_spoils_nothing_before_it() -> None:
    more = base(messages=[user("Hi"), assistant("Ho"), user("More"), system("900 tokens left."), user("On")])
    assert keys(more)[:7] == keys(base())


def test_keys_of_inputs_count_in_their_order() -> None:
    def called(arguments: Json) -> Prefixes:
        history = [user(), assistant([call("toolu_1", input=arguments)]), user([result("toolu_1")])]
        return row(*history, tools=[tool("get_time")])

    one, two = called({"a": 1, "b": None}), called({"b": None, "a": 1})
    assert keys(one)[:2] == keys(two)[:2]
    assert not set(keys(one)[2:]) & set(keys(two)[2:])
    assert keys(one)[2:] != keys(called({"a": 1}))[2:]


def test_what_was_left_out_and_what_was_said_to_be_nothing_are_one() -> None:
    assert keys(row(user([text("Hi", citations=None)]))) == keys(row(user([text("Hi")])))
    assert keys(row(user("Hi"))) == keys(row(user([text("Hi")])))


@pytest.mark.promise("cache.tenants")
def test_tenants_and_model_names_share_no_key() -> None:
    one = keys(row(tenant="one"))
    assert not set(one) & set(keys(row(tenant="two")))
    assert not set(keys(row(profile="claude-opus-4-8"))) & set(keys(row(profile="claude-opus-4-7")))


@pytest.mark.promise("cache.billing-line")
def test_the_accounting_line_has_no_position_and_its_mark_goes_before_it() -> None:
    def with_line(nonce: str) -> Prefixes:
        line = f"x-anthropic-billing-header: cc_version=2.1; cch={nonce};"
        return row(tools=[tool("a")], system=[text(line, **HOUR), text("Be brief.", **MARK)])

    assert keys(with_line("a1")) == keys(with_line("b2"))
    assert seconds(with_line("a1")) == {"tools.0": 3600, "system.1": 300, "messages.0.content.0": None}


@pytest.mark.promise("cache.automatic")
def test_the_automatic_mark_stands_on_the_last_block_that_may_carry_one() -> None:
    plain = row(user("Hi"), assistant("Ho"), user("More"), cache_control={"type": "ephemeral", "ttl": "1h"})
    assert seconds(plain)["messages.2.content.0"] == 3600
    own = row(user([text("Hi", **MARK)]), cache_control={"type": "ephemeral"})
    assert own.marked == (0,)


@pytest.mark.promise("cache.everything-marked")
@pytest.mark.parametrize(
    "block",
    [
        text("Hi", **MARK),
        {**image(), **MARK},
        result("toolu_1", "noon", **MARK),
        result("toolu_1", [text("noon", **MARK)]),
        {
            "type": "document",
            "source": {"type": "content", "content": [text("Cats.", **MARK)]},
        },
        {"type": "search_result", "source": "a", "title": "b", "content": [text("c")], **MARK},
    ],
    ids=str,
)
def test_a_mark_on_a_block_or_inside_of_one_is_the_block_s(block: Json) -> None:
    history = [user(), assistant([call("toolu_1")]), user([result("toolu_1"), text("Now.")])]
    if block["type"] == "tool_result":
        history[2] = user([block])
    else:
        history.append(assistant("Yes."))
        history.append(user([block]))
    found = row(*history, tools=[tool("get_time")])
    assert [found.positions[at].path for at in found.marked] == [f"messages.{len(history) - 1}.content.0"]


@pytest.mark.promise("cache.everything-marked")
def test_a_toolset_s_mark_and_those_of_calls_hold() -> None:
    browser: Json = {"type": "browser_toolset_20260801", **MARK}
    found = row(
        user(),
        assistant([call("toolu_1", **MARK)]),
        user([result("toolu_1")]),
        tools=[tool("get_time", **HOUR), browser],
    )
    assert seconds(found)["messages.1.content.0"] == 300
    assert (seconds(found)["tools.0"], seconds(found)["tools.1"]) == (3600, 300)


@pytest.mark.promise("cache.look-back")
def test_a_mark_looks_at_twenty_blocks_and_then_at_the_next_mark_s() -> None:
    def sought(blocks: int, *marks: int) -> list[int]:
        content = [text(f"{n}", **(MARK if n + 1 in marks else {})) for n in range(blocks)]
        return [at + 1 for at in row(user(content)).sought()]

    assert sought(15, 15) == list(range(15, 0, -1))
    assert sought(35, 35) == list(range(35, 15, -1))
    assert sought(35, 35, 15) == list(range(35, 0, -1))
    assert sought(35, 35, 30) == list(range(35, 10, -1))
    assert sought(60, 60, 20) == [*range(60, 40, -1), *range(20, 0, -1)]


def test_thoughts_that_are_told_are_part_of_the_prefix_and_others_are_not() -> None:
    history = [user(), assistant([thought(), call("toolu_1")]), user([result("toolu_1")])]
    request = parsed(*history, tools=[tool("get_time")])
    told = prefixes(asked(request, opened=Opened(Thoughts({(1, 0): Sealed("Hm.", "tiny", 1, b"", b"")}))))
    untold = prefixes(asked(request))
    assert len(told.positions) == len(untold.positions) + 1
    assert keys(told)[:2] == keys(untold)[:2]
    assert not set(keys(told)[2:]) & set(keys(untold)[2:])


def test_a_request_says_whether_it_has_marks() -> None:
    def marks(**more: Any) -> bool:
        return has_marks(asked(parsed(**more)).case)

    assert not marks()
    assert marks(cache_control={"type": "ephemeral"})
    assert marks(system=[text("One.", **MARK)])
