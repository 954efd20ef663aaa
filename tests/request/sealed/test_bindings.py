"""Thoughts are bound to the conversation before them, on the models that bind them and where the request says so."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.request.case import Case
from antiphon.request.intake import parse_create
from antiphon.request.sealed.bindings import Binding, conversations, read_prefix
from tests.request.requests import (
    CATALOGUE,
    TOOL,
    Json,
    assistant,
    body,
    call,
    context,
    result,
    system,
    text,
    tool,
    user,
)
from tests.request.sealing import answered, going_on, hidden, refusal, sealed, taken, texts

CONTROLS = "thinking-binding-controls-2026-08-01"

TURN_CONFIG = "mid-conversation-output-config-2026-07-01"

BETAS = (CONTROLS, TURN_CONFIG)

BOUND, FREE = "claude-opus-5-5", "claude-sonnet-5"

LATER: Json = tool("later", defer_loading=True)

SEARCHED: list[Json] = [{"type": "tool_reference", "tool_name": "later"}]

MARK: Json = {"cache_control": {"type": "ephemeral"}}

INVALID = (
    "Invalid `signature` in `thinking` block. The block is bound to a different conversation. Remove the block, or set "
    '`thinking.block_binding.prefix_mismatch_behavior` to "drop_block".'
)

SYSTEM = " The `system` prompt differs from the one this block was created with."

TOOLS = " The `tools` list differs from the one this block was created with."

MESSAGES = " Content before this block differs from when it was created."

GAP = " The `thinking` block that preceded this one when it was created is missing from this request."

Change = Callable[[Json], None]


def controlled(behavior: str | None) -> Json:
    return {"type": "adaptive", **({"block_binding": {"prefix_mismatch_behavior": behavior}} if behavior else {})}


def history(model: str = BOUND) -> Json:
    """Two closed turns and an open one, each with a thought: in messages 1, 3, 5 and 7."""
    request = {
        **body(user("What time is it?"), max_tokens=5000, thinking={"type": "adaptive"}),
        "model": model,
        "system": "Be brief.",
        "tools": [TOOL, tool("other"), LATER],
    }
    request = answered(request, "first", call("toolu_1", input={"zone": "UTC", "cache_control": 1}))
    request = going_on(request, user([result("toolu_1", [text("noon")])]))
    request = answered(request, "second", text("It is noon."))
    request = going_on(request, user("And there?"))
    request = answered(request, "third", text("Wait."), call("toolu_2"))
    request = going_on(request, user([result("toolu_2", SEARCHED)]))
    request = answered(request, "fourth", call("toolu_3", "later"))
    return going_on(request, user([result("toolu_3", "one")]))


def changed(change: Change, behavior: str | None, model: str = BOUND) -> Json:
    request = deepcopy({**history(model), "thinking": controlled(behavior)})
    change(request)
    return request


def content(request: Json, message: int) -> list[Json]:
    return request["messages"][message]["content"]


def say(message: int, words: str) -> Change:
    def change(request: Json) -> None:
        request["messages"][message]["content"] = words

    return change


def put(key: str, value: Any) -> Change:
    return lambda request: request.update({key: value})


def drop_thoughts(*messages: int) -> Change:
    def change(request: Json) -> None:
        for message in messages:
            del content(request, message)[0]

    return change


def edit_result(request: Json) -> None:
    content(request, 2)[0]["content"] = "one o'clock"


def edit_call(request: Json) -> None:
    content(request, 1)[1]["input"] = {"zone": "CET"}


def add_text(request: Json) -> None:
    request["messages"][4]["content"] = [text("And there?"), text("Be quick.")]


def forget_the_first_turn(request: Json) -> None:
    del request["messages"][:4]


# what is changed → the sentence that says so, the message of the first thought that it spoils
EDITS: dict[str, tuple[Change, str, list[int]]] = {
    "another system prompt": (put("system", "Be long."), SYSTEM, [1, 3, 5, 7]),
    "no system prompt": (put("system", []), SYSTEM, [1, 3, 5, 7]),
    "one more system block": (put("system", [text("Be brief."), text("Hm.")]), SYSTEM, [1, 3, 5, 7]),
    "a tool less": (put("tools", [TOOL, LATER]), TOOLS, [1, 3, 5, 7]),
    "a tool more": (put("tools", [TOOL, tool("other"), tool("third"), LATER]), TOOLS, [1, 3, 5, 7]),
    "another description": (put("tools", [TOOL, tool("other", description="New."), LATER]), TOOLS, [1, 3, 5, 7]),
    "another schema of a tool that was found": (
        put("tools", [TOOL, tool("other"), {**LATER, "description": "New."}]),
        TOOLS,
        [7],
    ),
    "the first message": (say(0, "What day is it?"), MESSAGES, [1, 3, 5, 7]),
    "a result": (edit_result, MESSAGES, [3, 5, 7]),
    "the input of a call": (edit_call, MESSAGES, [3, 5, 7]),
    "one more text": (add_text, MESSAGES, [5, 7]),
    "a later message": (say(4, "And here?"), MESSAGES, [5, 7]),
    "the turns before": (forget_the_first_turn, MESSAGES, [1, 3]),
    "a thought from the middle": (drop_thoughts(3), GAP, [5]),
}


@pytest.mark.promise("thinking.binding-controls")
@pytest.mark.parametrize("case", EDITS)
def test_a_thought_that_comes_back_in_another_conversation_is_refused_where_the_request_says_so(case: str):
    change, sentence, spoiled = EDITS[case]
    assert refusal(changed(change, "error"), *BETAS) == f"messages.{spoiled[0]}.content.0: {INVALID}{sentence}"


@pytest.mark.promise("thinking.binding-controls")
@pytest.mark.parametrize("case", EDITS)
def test_it_is_dropped_and_reported_where_the_request_says_so(case: str):
    change, sentence, spoiled = EDITS[case]
    if sentence == GAP:
        # Without the dropped thought the next one has lost its own before it.
        spoiled = [*spoiled, 7]
    request = changed(change, "drop_block")
    thoughts = taken(request, *BETAS)
    entries = [
        {"type": "thinking_dropped", "path": f"messages.{at}.content.0", "reason": "prefix_binding_mismatch"}
        for at in spoiled
    ]
    assert thoughts.reported(context(CONTROLS)) == entries
    assert not set(texts(thoughts)) & {entry["path"] for entry in entries}
    assert len(texts(thoughts)) + len(entries) == orjson.dumps(request).count(b'"type":"thinking"')


@pytest.mark.promise("thinking.binding-controls")
@pytest.mark.parametrize("case", EDITS)
def test_where_the_request_does_not_say_it_is_shown_and_only_reported(case: str):
    change, _, spoiled = EDITS[case]
    thoughts = taken(changed(change, None), *BETAS)
    assert [(each.type, each.path) for each in thoughts.transformations] == [
        ("thinking_mismatch_allowed", f"messages.{at}.content.0") for at in spoiled
    ]
    assert {f"messages.{at}.content.0" for at in spoiled} <= set(texts(thoughts))
    assert thoughts.dropped == ()


@pytest.mark.promise("thinking.binding-controls")
@pytest.mark.parametrize("case", EDITS)
def test_a_model_that_does_not_bind_thoughts_takes_the_setting_and_does_not_judge(case: str):
    change, _, _ = EDITS[case]
    assert taken(changed(change, "error", FREE), *BETAS).transformations == ()


def move_markers(request: Json) -> None:
    request["cache_control"] = {"type": "ephemeral"}
    request["system"] = [text("Be brief.", **MARK)]
    content(request, 2)[0]["content"][0].update(MARK)
    request["tools"][1].update(MARK)


def spell_otherwise(request: Json) -> None:
    request["messages"][0]["content"] = [text("What time is it?")]
    request["messages"][4]["content"] = [text("And there?", citations=None)]
    content(request, 1)[1]["caller"] = {"type": "direct"}
    content(request, 2)[0]["is_error"] = False
    content(request, 1)[1]["input"] = {"cache_control": 1, "zone": "UTC"}


def cut_into_messages(request: Json) -> None:
    third = content(request, 5)
    request["messages"][5:6] = [assistant(third[:2]), assistant(third[2:])]


def change_settings(request: Json) -> None:
    request |= {"max_tokens": 9000, "metadata": {"user_id": "u"}, "output_config": {"effort": "low"}}
    request["thinking"]["display"] = "summarized"
    request["tool_choice"] = {"type": "none"}
    request["messages"].insert(4, system([], output_config={"effort": "high"}))


def account_for_it(nonce: str) -> list[Json]:
    return [text(f"x-anthropic-billing-header: cc_version=2; cch={nonce};"), text("Be brief.")]


HARMLESS: dict[str, Change] = {
    "nothing": lambda request: None,
    "more messages": lambda request: request["messages"].append(user("Hurry.")),
    "markers": move_markers,
    "the same in another spelling": spell_otherwise,
    "turns cut into messages": cut_into_messages,
    "settings": change_settings,
    "a deferred tool that nothing has found": lambda request: request["tools"].append(
        tool("new", defer_loading=True)
    ),
    "the order of the tools": lambda request: request["tools"].reverse(),
    "the line of an agent's accounting": put("system", account_for_it("1")),
    "the oldest thought gone": drop_thoughts(1),
    "the oldest thoughts gone": drop_thoughts(1, 3),
    "the latest thought gone": drop_thoughts(7),
    "all thoughts gone": drop_thoughts(1, 3, 5, 7),
}


@pytest.mark.promise("thinking.binding-controls")
@pytest.mark.parametrize("case", HARMLESS)
def test_what_is_no_change_of_the_conversation_spoils_no_thought(case: str):
    for behavior in ("error", "drop_block", None):
        assert taken(changed(HARMLESS[case], behavior), *BETAS).transformations == ()


@pytest.mark.promise("thinking.binding-controls")
def test_a_thought_that_was_put_back_spoils_those_that_were_thought_without_it():
    whole = {**history(), "thinking": controlled("error")}
    request = deepcopy(whole)
    drop_thoughts(1, 3, 5, 7)(request)
    request = going_on(answered(request, "fifth", text("One."), betas=BETAS), user("Sure?"))
    assert taken(request, *BETAS).transformations == ()
    content(request, 1).insert(0, content(whole, 1)[0])
    assert refusal(request, *BETAS) == f"messages.9.content.0: {INVALID}{GAP}"


@pytest.mark.promise("thinking.binding-controls")
def test_what_is_thought_behind_a_change_holds():
    request = changed(say(0, "What day is it?"), "drop_block")
    request = going_on(answered(request, "fifth", text("Monday."), betas=BETAS), user("Sure?"))
    assert set(texts(taken(request, *BETAS))) == {"messages.9.content.0"}


@pytest.mark.promise("thinking.binding-controls")
def test_a_thought_without_a_record_of_its_conversation_is_bound_elsewhere():
    request = {
        **body(user(), assistant([sealed("a"), text("b")]), user(), max_tokens=5000, thinking=controlled("error")),
        "model": BOUND,
    }
    assert refusal(request, *BETAS) == f"messages.1.content.0: {INVALID}"


def test_a_redacted_thought_is_refused_in_its_own_words():
    request = {**body(user(), max_tokens=5000, thinking=controlled("error")), "model": BOUND}
    request = going_on(request, assistant([hidden("a"), text("b")]), user())
    message = INVALID.replace("`signature` in `thinking`", "`data` in `redacted_thinking`")
    assert refusal(request, *BETAS) == f"messages.1.content.0: {message}"


@pytest.mark.promise("thinking.binding-controls")
def test_another_model_s_thoughts_are_dropped_for_their_model_and_break_no_chain():
    request = {**body(user(), max_tokens=5000, thinking=controlled("error")), "model": BOUND}
    for turn, model in enumerate(("one", "two", "one")):
        request = going_on(answered(request, f"thought {turn}", text("a"), betas=BETAS, model=model), user())
    for model, dropped in (
        ("one", ["messages.3.content.0"]),
        ("two", ["messages.1.content.0", "messages.5.content.0"]),
    ):
        thoughts = taken(request, *BETAS, model=model)
        assert [(each.path, each.reason) for each in thoughts.transformations] == [
            (path, "model_binding_mismatch") for path in dropped
        ]


@pytest.mark.promise("thinking.signatures-verified")
@pytest.mark.parametrize("model", [BOUND, FREE, "tiny"])
def test_thoughts_in_a_row_keep_their_order_in_the_latest_message(model: str):
    request = {**body(user(), max_tokens=5000, thinking={"type": "adaptive"}), "model": model}
    request = going_on(answered(request, "one", "two", text("a"), "three", text("b")), user())
    assert len(texts(taken(request))) == 3
    one, two, a, three, b = content(request, 1)
    modified = "`thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified."
    for blocks, at in (([two, one, a, three, b], 1), ([one, three, two, a, b], 1), ([one, two, three, two, a], 3)):
        request["messages"][1]["content"] = blocks
        assert str(refusal(request)).startswith(f"messages.1.content.{at}: {modified}")
    for blocks in ([two, a, three, b], [one, two, three, a, b], [one, a, two, b]):
        request["messages"][1]["content"] = blocks
        assert refusal(request) is None


@pytest.mark.parametrize("prefix", [b"", b"a", b"a" * 15, b"a" * 32, b"a" * 63, b"a" * 65, b"a" * 80])
def test_a_prefix_that_is_none_is_no_record(prefix: bytes):
    assert read_prefix(prefix) is None


@pytest.mark.parametrize(
    "binding", [Binding(), Binding(b"t" * 16), Binding(b"t" * 16, (b"s" * 16, b"o" * 16, b"m" * 16))]
)
def test_a_prefix_is_read_as_it_was_written(binding: Binding):
    assert read_prefix(binding.prefix) == binding
    after = binding.after("c2ln")
    assert after.conversation == binding.conversation
    assert after.thought != binding.thought


def digests(*messages: Json) -> list[tuple[bytes, bytes, bytes]]:
    profile = CATALOGUE.resolve(BOUND)
    assert profile is not None
    parsed = parse_create(orjson.dumps(body(*messages)), context())
    return list(conversations(Case(parsed, profile, context())))


@given(
    st.lists(
        st.tuples(st.sampled_from(["user", "assistant"]), st.lists(st.text(max_size=3), min_size=1, max_size=3)),
        min_size=1,
        max_size=5,
    ),
    st.data(),
)
def test_how_a_turn_is_cut_into_messages_does_not_count(turns: list[tuple[str, list[str]]], data: st.DataObject):
    whole = [{"role": role, "content": [text(words) for words in said]} for role, said in turns]
    cut: list[Json] = []
    for role, said in turns:
        at = data.draw(st.integers(0, len(said)))
        cut += [{"role": role, "content": [text(words) for words in part]} for part in (said[:at], said[at:]) if part]
    assert digests(*whole) == digests(*cut)


def test_the_bounds_of_texts_and_turns_count():
    assert digests(user([text("ab")]))[-1] != digests(user([text("a"), text("b")]))[-1]
    assert digests(user("a"), assistant("b"), user("c"))[-1] != digests(user("a"), user("b"), user("c"))[-1]
