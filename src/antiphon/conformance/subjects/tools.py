"""Tools of the client: definitions, forced calls, results that come back."""

from collections.abc import Mapping
from typing import Any, Final

from antiphon.conformance.api import Api, blocks
from antiphon.conformance.check import Row, Subject, dictionary, expect, text_of
from antiphon.conformance.subjects.messages import more
from antiphon.conformance.subjects.words import FORCED, PROBE, user

SUBJECT: Final = Subject("tools", "Tool use: How to implement tool use")
check = SUBJECT.check
CHOICE: Final = "Tool use: Controlling Claude's output, forcing tool use"

_SCHEMA: Final = {"type": "object"}
_DEFINITIONS: Final[tuple[tuple[str, str, Any], ...]] = (
    ("list", "Tools that are no list are refused.", "tools"),
    ("item", "A tool that is no object is refused.", ["tool"]),
    ("name-missing", "A tool without a name is refused.", [{"input_schema": _SCHEMA}]),
    ("name-empty", "A tool with an empty name is refused.", [{"name": "", "input_schema": _SCHEMA}]),
    (
        "name-signs",
        "A tool's name with other signs than letters, digits, _ and - is refused.",
        [{"name": "a b!", "input_schema": _SCHEMA}],
    ),
    ("name-long", "A tool's name of 129 letters is refused.", [{"name": "a" * 129, "input_schema": _SCHEMA}]),
    ("names-unique", "Two tools of one name are refused.", [PROBE, PROBE]),
    ("schema-missing", "A tool without input_schema is refused.", [{"name": "a"}]),
    (
        "schema-type",
        "An input_schema of another type than object is refused.",
        [{"name": "a", "input_schema": {"type": "string"}}],
    ),
    ("schema-kind", "An input_schema that is no object is refused.", [{"name": "a", "input_schema": "object"}]),
    ("kind", "A tool of an unknown type is refused.", [{"type": "teleport_20990101", "name": "teleport"}]),
    ("extra", "An unknown key of a tool is refused.", [{**PROBE, "colour": 1}]),
)
for _name, _sentence, _tools in _DEFINITIONS:
    SUBJECT.refuses(f"definition-{_name}", _sentence, {"tools": _tools}, source="Tool use: Specifying client tools")

_CHOICES: Final[tuple[Row, ...]] = (
    ("without-tools", "tool_choice without tools is refused.", {"tool_choice": {"type": "any"}}),
    ("type", "tool_choice that is no object is refused.", {"tools": [PROBE], "tool_choice": "any"}),
    ("kindless", "tool_choice without a type is refused.", {"tools": [PROBE], "tool_choice": {}}),
    ("unknown", "An unknown tool_choice is refused.", {"tools": [PROBE], "tool_choice": {"type": "perhaps"}}),
    (
        "nameless",
        "tool_choice of the type tool without a name is refused.",
        {"tools": [PROBE], "tool_choice": {"type": "tool"}},
    ),
    (
        "absent",
        "tool_choice of a tool that there is not is refused.",
        {"tools": [PROBE], "tool_choice": {"type": "tool", "name": "other"}},
    ),
)
for _name, _sentence, _changes in _CHOICES:
    SUBJECT.refuses(f"choice-{_name}", _sentence, _changes, source=CHOICE)


def history(result: Mapping[str, Any] | None, *, id_: str = "toolu_01", **call: Any) -> dict[str, Any]:
    """A conversation with a call, and a result."""
    used = {"type": "tool_use", "id": id_, "name": PROBE["name"], "input": {"colour": "red"}, **call}
    asked = {"role": "user", "content": "Call the tool with a colour."}
    back = {"role": "user", "content": [dict(result)] if result is not None else "Well?"}
    return {"tools": [PROBE], "messages": [asked, {"role": "assistant", "content": [used]}, back]}


DONE: Final = {"type": "tool_result", "tool_use_id": "toolu_01", "content": "It is done."}
RESULTS: Final = "Tool use: Handling tool use and tool result content blocks"
_WRONG_RESULTS: Final[tuple[Row, ...]] = (
    ("missing", "A call without its result is refused.", history(None)),
    ("other-id", "A result of another call is refused.", history({**DONE, "tool_use_id": "toolu_02"})),
    ("no-id", "A result without tool_use_id is refused.", history({"type": "tool_result", "content": "Done."})),
    (
        "orphan",
        "A result without a call is refused.",
        {"tools": [PROBE], "messages": [{"role": "user", "content": [DONE]}]},
    ),
    ("input-type", "A call whose input is no object is refused.", history(DONE, input="red")),
    ("is-error-type", "is_error that is no boolean is refused.", history({**DONE, "is_error": "very"})),
    (
        "error-empty",
        "A failed result that says nothing is refused.",
        history({**DONE, "is_error": True, "content": ""}),
    ),
)
for _name, _sentence, _changes in _WRONG_RESULTS:
    SUBJECT.refuses(f"result-{_name}", _sentence, _changes, source=RESULTS)


@check("offered", "Tools may be offered.")
def _(api: Api) -> None:
    api.said({"tools": [PROBE]})


@check("counts", "Tools are part of the input.", source="Tool use: Pricing")
def _(api: Api) -> None:
    more(api, {}, {"tools": [PROBE]})


@check("custom", "The type custom may be said.")
def _(api: Api) -> None:
    api.said({"tools": [{**PROBE, "type": "custom"}]})


@check("forced", "A tool that is forced is called.", source=CHOICE, needs="forced_tools")
def _(api: Api) -> None:
    for call in calls(api):
        expect(call.get("name") == PROBE["name"], f"the call's name is {call.get('name')!r}")


@check("call-id", "A call has an id.", needs="forced_tools")
def _(api: Api) -> None:
    for call in calls(api):
        text_of(call.get("id"), "the call's id")


@check("call-input", "A call's input is an object.", needs="forced_tools")
def _(api: Api) -> None:
    for call in calls(api):
        dictionary(call.get("input"))


@check(
    "reason", "A reply with a call ends in tool_use.", source="Handling stop reasons: tool_use", needs="forced_tools"
)
def _(api: Api) -> None:
    reason = api.said(FORCED).get("stop_reason")
    expect(reason == "tool_use", f"stop_reason is {reason!r}")


@check("calls-last", "Nothing but calls follows a call.", needs="forced_tools")
def _(api: Api) -> None:
    kinds = [block.get("type") for block in blocks(api.said(FORCED))]
    behind = kinds[kinds.index("tool_use") :] if "tool_use" in kinds else []
    expect(set(behind) <= {"tool_use"}, f"the blocks are {kinds}")


@check("any", "tool_choice any calls a tool.", source=CHOICE, needs="forced_tools")
def _(api: Api) -> None:
    reply = api.said({**FORCED, "tool_choice": {"type": "any"}})
    expect(bool(blocks(reply, "tool_use")), f"the blocks are {[block.get('type') for block in blocks(reply)]}")


@check(
    "one-call",
    "disable_parallel_tool_use keeps a reply to one call.",
    source="Tool use: Parallel tool use",
    needs="forced_tools",
)
def _(api: Api) -> None:
    choice = {"type": "any", "disable_parallel_tool_use": True}
    found = blocks(api.said({**FORCED, "tool_choice": choice}), "tool_use")
    expect(len(found) == 1, f"there are {len(found)} calls")


@check("none", "tool_choice none calls no tool.", source=CHOICE)
def _(api: Api) -> None:
    reply = api.said({**user("Call the tool with a colour."), "tools": [PROBE], "tool_choice": {"type": "none"}})
    expect(not blocks(reply, "tool_use"), "there is a call")


@check("auto", "tool_choice auto is taken.", source=CHOICE)
def _(api: Api) -> None:
    api.said({"tools": [PROBE], "tool_choice": {"type": "auto"}})


@check("replayed", "A call goes back as it came, with its result.", source=RESULTS, needs="forced_tools")
def _(api: Api) -> None:
    reply = api.said(FORCED)
    results = [{"type": "tool_result", "tool_use_id": call.get("id"), "content": "Done."} for call in calls(api)]
    told = [{"role": "assistant", "content": reply["content"]}, {"role": "user", "content": results}]
    api.said({"tools": [PROBE], "messages": [*FORCED["messages"], *told]})


@check("result-text", "A result may be a text.", source=RESULTS)
def _(api: Api) -> None:
    api.said(history(DONE))


@check("result-blocks", "A result may be blocks.", source=RESULTS)
def _(api: Api) -> None:
    api.said(history({**DONE, "content": [{"type": "text", "text": "It is done."}]}))


@check("result-none", "A result may say nothing.", source=RESULTS)
def _(api: Api) -> None:
    api.said(history({"type": "tool_result", "tool_use_id": "toolu_01"}))


@check("result-error", "A result may be an error.", source=RESULTS)
def _(api: Api) -> None:
    api.said(history({**DONE, "is_error": True}))


@check("result-counts", "A result is part of the input.", source=RESULTS)
def _(api: Api) -> None:
    more(api, history(DONE), history({**DONE, "content": "It is done. " * 20}))


def calls(api: Api) -> list[dict[str, Any]]:
    """The calls of the reply that has to call."""
    found = blocks(api.said(FORCED), "tool_use")
    expect(bool(found), f"a call was forced, and the reply is {str(api.said(FORCED).get('content'))[:200]}")
    return found
