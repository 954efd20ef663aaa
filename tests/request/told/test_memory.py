"""What a model with the memory tool is told beside it, and how the tool is given."""

import pytest

from antiphon.request.told.memory import PROTOCOL
from tests.request.requests import body, context, local, text, told_of, tool, user, verdict
from tests.request.told.test_clearing import parsed

MEMORY = {"type": "memory_20250818", "name": "memory"}


@pytest.mark.promise("memory.needs-no-schema")
def test_the_tool_is_given_by_type_and_name_and_may_be_strict() -> None:
    assert verdict(body(tools=[MEMORY])) is None
    assert verdict(body(tools=[{**MEMORY, "strict": True}])) is None
    assert (
        verdict(body(tools=[{**MEMORY, "name": "notes"}])) == "tools.0.memory_20250818.name: Input should be 'memory'"
    )


@pytest.mark.promise("memory.protocol")
def test_the_addition_stands_behind_the_clients_own_system_prompt_and_only_for_the_typed_tool() -> None:
    request = body(user(), system=[text("Be brief.")], tools=[MEMORY])
    assert [part.text for part in told_of(parsed(request), context(), local()).system] == ["Be brief.", PROTOCOL]
    own = body(user(), system=[text("Be brief.")], tools=[tool("memory")])
    assert [part.text for part in told_of(parsed(own), context(), local()).system] == ["Be brief."]
