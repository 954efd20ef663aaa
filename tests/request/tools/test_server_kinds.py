"""The one table of server tools agrees with the shapes that travel."""

from typing import get_args

import pytest

from antiphon.request.tools.server_kinds import (
    ALWAYS,
    CALLS,
    CONFIGURED,
    COUNTERS,
    ELSEWHERE,
    KINDS,
    RESULT_OF,
    SANDBOXED,
    SERVER_RESULTS,
    UNBUILT,
    UNBUILT_BLOCKS,
    tool_of,
)
from antiphon.wire.content.blocks import ServerToolUseBlock
from antiphon.wire.reply import ServerResultType, ServerToolUsage


def test_every_call_that_travels_is_of_a_kind():
    literal = get_args(ServerToolUseBlock.model_fields["name"].annotation)
    assert set(literal) == set(RESULT_OF)


def test_every_result_that_travels_is_of_a_kind():
    assert {kind for kind in get_args(ServerResultType) if kind.endswith("_result")} <= SERVER_RESULTS


def test_every_counter_is_a_key_of_the_usage():
    assert set(COUNTERS) == set(ServerToolUsage.__struct_fields__)


def test_a_kind_is_built_or_not():
    assert {*CONFIGURED, *ALWAYS, *SANDBOXED, *ELSEWHERE, *UNBUILT} == {kind.prefix for kind in KINDS}
    assert UNBUILT_BLOCKS.isdisjoint({RESULT_OF[call] for call in CALLS})


@pytest.mark.parametrize(
    ("call", "tool"),
    [
        ("web_search", "web_search"),
        ("bash_code_execution", "code_execution"),
        ("text_editor_code_execution", "code_execution"),
        ("tool_search_tool_bm25", "tool_search_tool_bm25"),
        ("an_owners_own", "an_owners_own"),
    ],
)
def test_a_call_names_its_tool(call: str, tool: str):
    assert tool_of(call) == tool
