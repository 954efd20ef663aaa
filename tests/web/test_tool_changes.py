"""Tools that come and go in a conversation: what the model is told, and what it may call."""

from typing import Any

import pytest

from tests.web.thinking_app import ThinkingApp, ask, reply

Json = dict[str, Any]

CHANGES, INLINE = "mid-conversation-tool-changes-2026-07-01", "inline-tools-2026-09-15"
MODEL = "claude-opus-4-8"


def tool(name: str, **more: Any) -> Json:
    schema = {"type": "object", "properties": {"at": {"type": "string"}}}
    return {"name": name, "description": f"Does {name}.", "input_schema": schema, **more}


def added(name: str) -> Json:
    return {"type": "tool_addition", "tool": {"type": "tool_reference", "name": name}}


def removed(name: str) -> Json:
    return {"type": "tool_removal", "tool": {"type": "tool_reference", "name": name}}


def defined(definition: Json) -> Json:
    return {"type": "tool_addition", "tool": {"type": "tool_definition", "definition": definition}}


def calling(name: str) -> str:
    return reply(f'<function_calls>\\n<invoke name=\\"{name}\\">\\n</invoke>\\n</function_calls>')


def request(*changes: Json, tools: list[Json], **more: Any) -> Json:
    """A question, then the changes."""
    messages: list[Json] = [{"role": "user", "content": "Go."}]
    if changes:
        messages.append({"role": "system", "content": list(changes)})
    return ask(messages, **{"model": MODEL, "thinking": None, "tools": tools, **more})


def called(message: Json) -> list[str]:
    return [block["name"] for block in message["content"] if block["type"] == "tool_use"]


@pytest.mark.promise("tool-changes.addition")
@pytest.mark.parametrize("change", [added("late"), defined(tool("late"))], ids=["by reference", "by value"])
async def test_an_added_tool_is_told_in_its_place_and_can_be_called(change: Json) -> None:
    tools = [tool("look"), *([tool("late", defer_loading=True)] if "name" in change["tool"] else [])]
    async with ThinkingApp(calling("late")) as app:
        before = await app.reply(request(tools=tools), INLINE)
        assert called(before) == []
        message = await app.reply(request({"type": "text", "text": "News:"}, change, tools=tools), INLINE)
        assert (called(message), message["stop_reason"]) == (["late"], "tool_use")
        without, told = app.prompts
        shared = without[: without.index("Go.")]
        assert told.startswith(shared)
        assert told.index("News:") < told.index("Does late.")
        assert "Does late." not in without


@pytest.mark.promise("tool-changes.removal")
async def test_a_removed_tool_cannot_be_called_and_the_prompt_before_stays_what_it_was() -> None:
    tools = [tool("look"), tool("other")]
    async with ThinkingApp(calling("look")) as app:
        assert called(await app.reply(request(tools=tools), INLINE)) == ["look"]
        assert called(await app.reply(request(removed("look"), tools=tools), INLINE)) == []
        without, told = app.prompts
        assert told.startswith(without[: without.index("Go.")])
        assert "No longer available from here on, and not to be called: look." in told
        one, two = app.engines["scripted"].asked
        assert one.grammar != two.grammar


@pytest.mark.promise("tool-changes.removal")
async def test_without_a_tool_left_no_call_can_be_made() -> None:
    async with ThinkingApp(calling("look")) as app:
        message = await app.reply(request(removed("look"), tools=[tool("look")]), INLINE)
        assert (called(message), message["stop_reason"]) == ([], "end_turn")
        assert app.engines["scripted"].asked[0].grammar is not None


@pytest.mark.promise("tool-changes.removal")
async def test_a_removed_tool_can_be_offered_again() -> None:
    messages: list[Json] = [
        {"role": "user", "content": "Go."},
        {"role": "system", "content": [removed("look")]},
        {"role": "assistant", "content": "I cannot."},
        {"role": "user", "content": "Try again."},
        {"role": "system", "content": [added("look")]},
    ]
    async with ThinkingApp(calling("look")) as app:
        asked = ask(messages, model=MODEL, thinking=None, tools=[tool("look")])
        assert called(await app.reply(asked, INLINE)) == ["look"]


@pytest.mark.promise("tool-changes.addition")
async def test_a_new_definition_takes_the_place_of_the_old_one() -> None:
    newer = tool("look", description="Looks closer.")
    strict = {"type": "object", "properties": {"to": {"type": "string"}}, "required": ["to"]}
    newer["input_schema"] = {**strict, "additionalProperties": False}
    call = (
        '<function_calls>\\n<invoke name=\\"look\\">\\n<parameter name=\\"to\\">7</parameter>\\n</invoke>\\n'
        "</function_calls>"
    )
    async with ThinkingApp(reply(call)) as app:
        message = await app.reply(request(defined(newer), tools=[tool("look")]), INLINE)
        assert message["content"][0]["input"] == {"to": "7"}
        [told] = app.prompts
        assert told.index("Does look.") < told.index("Go.") < told.index("Looks closer.")


@pytest.mark.promise("tool-changes.addition")
async def test_the_same_definition_again_changes_nothing() -> None:
    async with ThinkingApp(calling("look")) as app:
        await app.reply(request(defined(tool("look")), tools=[tool("look")]), INLINE)
        assert app.prompts[0].count("Does look.") == 1


@pytest.mark.promise("tool-changes.addition")
async def test_a_conversation_can_begin_without_a_tool() -> None:
    async with ThinkingApp(calling("late")) as app:
        message = await app.reply(request(defined(tool("late")), tools=[]), INLINE)
        assert called(message) == ["late"]
        choice = {"type": "tool", "name": "late"}
        assert called(await app.reply(request(defined(tool("late")), tools=[], tool_choice=choice), INLINE)) == [
            "late"
        ]


@pytest.mark.promise("tool-changes.addition")
async def test_a_count_has_the_added_tool_in_it() -> None:
    async with ThinkingApp(calling("late")) as app:
        asked = request(defined(tool("late")), tools=[tool("look")])
        counted = await app.count(asked, INLINE)
        assert counted["input_tokens"] == (await app.reply(asked, INLINE))["usage"]["input_tokens"]


@pytest.mark.promise("tool-changes.errors")
@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ([added("late")], "tool_reference_unresolved", "Tool reference 'late' not found in available tools"),
        ([removed("late")], "tool_reference_unresolved", "Tool reference 'late' not found in available tools"),
        (
            [removed("late"), defined(tool("late"))],
            "tool_reference_unresolved",
            "Tool reference 'late' not found in available tools",
        ),
        (
            [defined({"type": "bash_20250124", "name": "bash"}), defined(tool("bash"))],
            "tool_name_conflict",
            "the name 'bash' is taken by a tool of type bash_20250124; a definition can only replace one of the same "
            "type",
        ),
        (
            [defined({"type": "computer_toolset_20260801"})],
            None,
            "computer_toolset_20260801 tools cannot be defined in a message. Declare the tool in `tools` and add it "
            "by reference.",
        ),
    ],
)
async def test_a_change_that_cannot_be_made_is_refused(changes: list[Json], code: str | None, message: str) -> None:
    async with ThinkingApp(calling("look")) as app:
        answer = await app.post(request(*changes, tools=[tool("look")]), INLINE)
        error = answer.json["error"]
        assert answer.status == 400
        assert error["message"].partition(": ")[2] == message
        assert error["message"].startswith("messages.1.content.")
        assert error.get("details") == (None if code is None else {"error_code": code})


@pytest.mark.promise("tool-changes.errors")
async def test_a_tool_that_was_taken_away_cannot_be_demanded() -> None:
    async with ThinkingApp(calling("look")) as app:
        tools = [tool("look"), tool("other")]
        one = request(removed("look"), tools=tools, tool_choice={"type": "tool", "name": "look"})
        assert await app.refusal(one, INLINE) == "Tool 'look' not found in provided tools"
        none_left = request(removed("look"), tools=tools[:1], tool_choice={"type": "any"})
        assert await app.refusal(none_left, INLINE) == (
            "tool_choice: no tool is left to be called at the end of the conversation."
        )


@pytest.mark.promise("tool-changes.errors")
async def test_references_need_one_header_and_definitions_the_other() -> None:
    async with ThinkingApp(calling("look")) as app:
        assert (await app.post(request(removed("look"), tools=[tool("look")]), CHANGES)).status == 200
        refused = await app.refusal(request(defined(tool("late")), tools=[tool("look")]), CHANGES)
        assert "Input tag 'tool_definition' found using 'type'" in refused
