"""Who speaks when, and what may not be empty: every recorded text, and what passes."""

from typing import Any

import pytest

from tests.request.requests import (
    assistant,
    body,
    call,
    image,
    issue,
    result,
    search_result,
    server_call,
    system,
    text,
    user,
    verdict,
    wrong,
)

CLEAR_AT = "mid-conversation-system-clear-at-2026-08-21"

TURN_CONFIG = "mid-conversation-output-config-2026-07-01"

TOOL_CHANGES = "mid-conversation-tool-changes-2026-07-01"

MARK = {"type": "ephemeral"}

DIRECTIVE = "the directive-only form (content: [] with output_config) is accepted at any position"

REMOVAL = {"type": "tool_removal", "tool": {"type": "tool_reference", "name": "get_time"}}

SEARCH = {"type": "web_search_20250305", "name": "web_search"}

PAUSED = [user(), assistant([server_call("srvtoolu_1"), search_result("srvtoolu_1")])]

CITED = {
    "type": "char_location",
    "cited_text": "a",
    "document_index": 0,
    "document_title": None,
    "start_char_index": 0,
    "end_char_index": 1,
}

DOCUMENT = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "a"}}

NO_CITATIONS = "citations are not permitted on text blocks in `user` messages"

REFUSED: dict[str, tuple[list[Any], str]] = {
    "unknown role": (
        [{"role": "x", "content": "a"}],
        'messages: Unexpected role "x". Allowed roles are "user" or "assistant"',
    ),
    "only a directive": (
        [system([], output_config={"effort": "high"})],
        'messages: first message must use the "user" role',
    ),
    "system first": (
        [system(), user()],
        f"messages.0: use the top-level 'system' parameter for the initial system prompt; {DIRECTIVE}",
    ),
    "system after an assistant": (
        [user(), assistant(), system()],
        "messages.2: role 'system' must follow a 'user' message or an 'assistant' message ending in a server tool "
        f"result; {DIRECTIVE}",
    ),
    "system between a call and its result": (
        [user(), assistant([call("toolu_1")]), system(), user([result("toolu_1")])],
        "messages.2: role 'system' must follow a 'user' message or an 'assistant' message ending in a server tool "
        f"result; {DIRECTIVE}",
    ),
    "system before a user": (
        [user(), system(), user()],
        f"messages.1: role 'system' must precede an 'assistant' message or end the array; {DIRECTIVE}",
    ),
    "a section of systems before a user": (
        [user(), system(), system(), user()],
        f"messages.1: role 'system' must precede an 'assistant' message or end the array; {DIRECTIVE}",
    ),
    "system without blocks": ([user(), system([])], "messages.1: system content must contain at least one block"),
    "system without words": ([user(), system("")], "messages.1: system content must contain at least one block"),
    "system with an image": (
        [user(), system([image()])],
        "messages.1: role 'system' supports text, tool_addition, and tool_removal blocks only",
    ),
    "blank system": ([user(), system(" \n")], "messages.1: system text blocks must contain non-whitespace text"),
    "blank block of a system": (
        [user(), system([text("a"), text(" ")])],
        "messages.1: system text blocks must contain non-whitespace text",
    ),
    "clear_at on a user": (
        [{**user(), "clear_at": "never"}],
        "messages.0.clear_at: clear_at is only permitted on role 'system' messages",
    ),
    "output_config on an assistant": (
        [user(), {**assistant(), "output_config": {}}],
        "messages.1.output_config: output_config is only permitted on role 'system' messages",
    ),
    "clear_at that is neither": (
        [user(), system(clear_at="soon")],
        "messages.1.clear_at: Input should be 'next_user_message' or 'never'",
    ),
    "turn-scoped tool change": (
        [user(), system([REMOVAL], clear_at="next_user_message")],
        "messages.1: a turn-scoped system message supports text blocks only (clear_at: 'next_user_message')",
    ),
    "turn-scoped settings": (
        [user(), system("a", clear_at="next_user_message", output_config={"effort": "high"})],
        "messages.1: output_config is not permitted on a turn-scoped system message (clear_at: 'next_user_message')",
    ),
    "turn-scoped marker": (
        [user(), system([text("a", cache_control=MARK)], clear_at="next_user_message")],
        "messages.1.content.0: cache_control is not permitted on a turn-scoped system message "
        "(clear_at: 'next_user_message')",
    ),
    "tool change after a pause": (
        [*PAUSED, system([REMOVAL])],
        "messages.2: tool_addition and tool_removal blocks are not permitted right after a paused 'assistant' message",
    ),
    "empty user string": ([user("")], "messages.0: user messages must have non-empty content"),
    "empty user list": (
        [user(), assistant(), user([])],
        "messages.2: user messages must have non-empty content",
    ),
    "empty assistant in the middle": (
        [user(), assistant([]), user()],
        "messages.1: all messages must have non-empty content except for the optional final assistant message",
    ),
    "empty text": ([user([text("")])], "messages: text content blocks must be non-empty"),
    "empty text beside another": ([user([text("a"), text("")])], "messages: text content blocks must be non-empty"),
    "empty text in a result": (
        [user(), assistant([call("toolu_1")]), user([result("toolu_1", [text("")])])],
        "messages: text content blocks must be non-empty",
    ),
    "empty text in a search result": (
        [user([{"type": "search_result", "source": "s", "title": "t", "content": [text("")]}])],
        "messages: text content blocks must be non-empty",
    ),
    "empty text in a document": (
        [user([{"type": "document", "source": {"type": "content", "content": [text("")]}}])],
        "messages: text content blocks must be non-empty",
    ),
    "marker on an empty text": (
        [user([text("", cache_control=MARK)])],
        "messages.0.content.0.text: cache_control cannot be set for empty text blocks",
    ),
    "marker on an empty text in a result": (
        [user(), assistant([call("toolu_1")]), user([result("toolu_1", [text("", cache_control=MARK)])])],
        "messages.2.content.0.tool_result.content.0.text: cache_control cannot be set for empty text blocks",
    ),
    "blank string": ([user(" ")], "messages: text content blocks must contain non-whitespace text"),
    "blank blocks alone": (
        [user([text(" "), text("\n")])],
        "messages: text content blocks must contain non-whitespace text",
    ),
    "blank text beside an image": (
        [user([text(" "), image()])],
        "messages: text content blocks must contain non-whitespace text",
    ),
    "prefill ends in a space": (
        [user(), assistant("The answer is ")],
        "messages: final assistant content cannot end with trailing whitespace",
    ),
    "prefill of blocks ends in a line break": (
        [user(), assistant([text("a "), text("b\n")])],
        "messages: final assistant content cannot end with trailing whitespace",
    ),
    "blank texts alone beside a message with a call": (
        [user(), assistant([text(" ")]), assistant([call("toolu_1")]), user([result("toolu_1")])],
        "messages: text content blocks must contain non-whitespace text",
    ),
    "call by the user": (
        [user([call("toolu_1")])],
        "messages.0: `tool_use` blocks can only be in `assistant` messages",
    ),
    "result by the assistant": (
        [user(), assistant([result("toolu_1")])],
        "messages.1: `tool_result` blocks can only be in `user` messages",
    ),
    "image by the assistant": (
        [user(), assistant([image()])],
        "messages.1: `image` blocks can only be in `user` messages",
    ),
    "thinking by the user": (
        [user([{"type": "thinking", "thinking": "a", "signature": "b"}])],
        "messages.0: `thinking` blocks can only be in `assistant` messages",
    ),
    "tool change by the user": (
        [user([REMOVAL])],
        "messages.0: `tool_removal` blocks can only be in `system` messages",
    ),
    "no message at all": ([], "messages: at least one message is required"),
}

ACCEPTED: dict[str, list[Any]] = {
    "one string": [user("a")],
    "one block": [user([text("a")])],
    "a dialogue": [user(), assistant(), user()],
    "users in a row": [user("a"), user("b")],
    "assistants in a row": [user(), assistant("a"), assistant("b"), user()],
    "prefill": [user(), assistant("The answer is (")],
    "prefill of which an earlier block ends in a space": [user(), assistant([text("a "), text("b")])],
    "a final assistant that has not begun": [user(), assistant([])],
    "a final assistant string that has not begun": [user(), assistant("")],
    "assistant first": [assistant("Welcome."), user("Hi")],
    "assistant first and alone": [assistant("Once upon")],
    "assistant first, and not begun": [assistant("")],
    "a directive, then the assistant": [system([], output_config={"effort": "high"}), assistant(), user()],
    "blank text beside a call": [user(), assistant([text("\n\n"), call("toolu_1")]), user([result("toolu_1")])],
    "blank text beside words": [user([text(" "), text("real")])],
    "an assistant in the middle that ends in a space": [user(), assistant("a "), user()],
    "system at the end": [user(), system()],
    "system before an assistant": [user(), system(), assistant("a"), user()],
    "a section of systems": [user(), system("a"), system([text("b")])],
    "system after a pause": [*PAUSED, system()],
    "turn-scoped system": [user(), system(clear_at="next_user_message"), assistant("a"), user()],
    "null clear_at on a user": [{**user(), "clear_at": None}],
    "a directive first": [system([], output_config={"effort": "high"}), user()],
    "a directive between a call and its result": [
        user(),
        assistant([call("toolu_1")]),
        system([], output_config={"effort": "high"}),
        user([result("toolu_1")]),
    ],
    "document by the assistant under the first version": [
        user(),
        assistant([DOCUMENT, text("b")]),
    ],
}


@pytest.mark.promise("errors.conversation-shape")
@pytest.mark.parametrize("case", REFUSED)
def test_a_conversation_out_of_shape_is_refused_in_the_api_s_words(case: str) -> None:
    messages, message = REFUSED[case]
    request = {**body(), "messages": messages, "tools": [SEARCH]}
    assert verdict(request, CLEAR_AT, TURN_CONFIG, TOOL_CHANGES) == message


@pytest.mark.promise("errors.conversation-shape")
@pytest.mark.parametrize("case", ACCEPTED)
def test_a_conversation_in_shape_is_accepted(case: str) -> None:
    assert wrong(body(*ACCEPTED[case], tools=[SEARCH]), CLEAR_AT, TURN_CONFIG) is None


@pytest.mark.promise("conversation.assistant-first")
def test_the_assistant_may_speak_first_on_every_model_and_alone_only_where_it_may_be_prefilled() -> None:
    for model in ("claude-opus-4-8", "claude-sonnet-4-5", "claude-fable-5-1"):
        assert wrong({**body(assistant("Welcome."), user("Hi")), "model": model}) is None
    assert wrong({**body(assistant("Welcome.")), "model": "claude-sonnet-4-5"}) is None
    assert str(wrong({**body(assistant("Welcome.")), "model": "claude-opus-4-8"})).startswith("This model does not")


@pytest.mark.promise("conversation.blank-text-beside-a-call")
def test_a_blank_text_is_taken_beside_a_call_alone() -> None:
    blank = [user(), assistant([text(" "), call("toolu_1")]), user([result("toolu_1")])]
    assert wrong(body(*blank)) is None
    alone = [user(), assistant(" "), assistant([call("toolu_1")]), user([result("toolu_1")])]
    assert verdict(body(*alone)) == "messages: text content blocks must contain non-whitespace text"


def test_clear_at_without_its_header_is_an_unknown_key() -> None:
    request = body(user(), system(clear_at="never"))
    assert verdict(request) == "messages.1.clear_at: Extra inputs are not permitted"


@pytest.mark.parametrize("blank", [" ", "\n\t", [text(" ")], [text("a"), text(" ")]])
def test_a_blank_system_prompt_is_refused(blank: Any) -> None:
    assert verdict(body(system=blank)) == "system: text content blocks must contain non-whitespace text"


@pytest.mark.promise("errors.empty-system")
@pytest.mark.parametrize("empty", ["", [text("")], [text("a"), text("")]])
def test_an_empty_system_prompt_is_refused(empty: Any) -> None:
    assert verdict(body(system=empty)) == "system: text content blocks must be non-empty"


@pytest.mark.parametrize("prompt", [[], "Be brief.", [text("a"), text("b")]])
def test_a_system_prompt_of_words_or_none_at_all_is_accepted(prompt: Any) -> None:
    assert verdict(body(system=prompt)) is None


def test_a_marker_on_an_empty_system_text_has_its_own_error() -> None:
    request = body(system=[text("a"), text("", cache_control=MARK)])
    assert verdict(request) == "system.1.text: cache_control cannot be set for empty text blocks"


@pytest.mark.promise("versions.2026-10-21-content")
@pytest.mark.parametrize(
    ("messages", "message"),
    [
        ([user(), assistant([DOCUMENT])], "messages.1: `document` blocks can only be in `user` messages"),
        ([user([text("a", citations=[CITED])])], f"messages.0.content.0.citations: {NO_CITATIONS}"),
        (
            [
                user(
                    [
                        {
                            "type": "search_result",
                            "source": "s",
                            "title": "t",
                            "content": [text("a", citations=[CITED])],
                        }
                    ]
                )
            ],
            f"messages.0.content.0.search_result.content.0.citations: {NO_CITATIONS}",
        ),
    ],
)
def test_the_second_version_refuses_what_the_first_took(messages: list[Any], message: str) -> None:
    assert verdict(body(*messages), version="2026-10-21") == message
    assert wrong(body(*messages)) is None


def test_a_summary_may_open_the_conversation_in_either_role() -> None:
    summary = {"type": "compaction", "content": "They said hello.", "signature": "c2ln"}
    assert wrong(body(assistant([summary]), user()), "compact-2026-09-04") is None
    assert wrong(body(user([summary, text("Go on")])), "compact-2026-09-04") is None


def test_a_summary_in_the_middle_of_the_users_words_is_misplaced() -> None:
    summary = {"type": "compaction", "content": "They said hello.", "signature": "c2ln"}
    found = issue(body(user(), assistant(), user([summary])), "compact-2026-09-04")
    assert found is not None
    assert found.message.startswith("messages.2.content.0: `compaction` block must be sent first, in place of")
    assert found.details == {"error_code": "compaction_block_misplaced"}


def test_a_name_of_the_client_s_does_not_make_the_reply_as_long_as_the_request() -> None:
    message = verdict(body({"role": "x" * 5000, "content": "a"}))
    assert message is not None
    assert len(message) < 400
