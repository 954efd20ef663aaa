"""Thoughts of a model that knows nothing of them: opened, closed, told again, and never markup."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.dialogue.conversation import Conversation, Part, Reasoning, Text, Turn
from antiphon.dialogue.rendered import Segment
from antiphon.dialogue.thinking import OFF, Thinking
from antiphon.dialogue.tools import Call, Choice, Result, Tool
from antiphon.ports.engine import ModelCard
from antiphon.render.prompt.builder import PromptBuilder
from antiphon.render.prompt.thoughts import PLACEHOLDER

TODAY = date(2026, 2, 3)

ON = Thinking(1024)

END = "<|im_end|>"

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)

TRIMMING = CHATML.replace("message['content']", "message['content'] | trim")

CLOCK = Tool("get_time", "", {"type": "object"})

ASKED = Turn("user", (Text("What is it?"),))

THOUGHTS = st.lists(st.sampled_from([END, "a", " ", "\n", "\ufdd0", PLACEHOLDER, "</think>", "0", "e"])).map("".join)


def builder(
    template: str | None = CHATML, special: frozenset[str] = frozenset({"<|im_start|>", END})
) -> PromptBuilder:
    return PromptBuilder(ModelCard("m", "m", 4096, chat_template=template, special_tokens=special))


BUILDER = builder()


def conversation(*turns: Turn, thinking: Thinking = ON, tools: tuple[Tool, ...] = ()) -> Conversation:
    return Conversation((Text("Be kind."),), turns, None, tools, thinking=thinking)


def rendered(asked: Conversation, made: PromptBuilder = BUILDER) -> str:
    return "".join(segment.text for segment in made.build(asked, today=TODAY))


def replied(*parts: Part) -> Turn:
    return Turn("assistant", parts)


def closing(thought: str, made: PromptBuilder = BUILDER) -> str:
    return "".join(segment.text for segment in made.close_thought(thought))


@pytest.mark.promise("thinking.every-model")
@pytest.mark.parametrize("tools", [(), (CLOCK,)], ids=["no tools", "tools"])
def test_every_model_thinks_in_tags_at_the_prompts_end(tools: tuple[Tool, ...]) -> None:
    quiet = rendered(conversation(ASKED, thinking=OFF, tools=tools))
    assert rendered(conversation(ASKED, tools=tools)) == f"{quiet}<thinking>\n"
    assert rendered(conversation(ASKED, tools=tools), builder(None)).endswith("\n\nAssistant: <thinking>\n")


@pytest.mark.parametrize(
    ("thought", "closed"),
    [
        ("Hm.\n", "</thinking>\n\n"),
        ("Hm.", "\n</thinking>\n\n"),
        ("Hm.\n\n", "</thinking>\n\n"),
        ("", "\n</thinking>\n\n"),
    ],
)
def test_a_thought_is_closed_on_a_line_of_its_own(thought: str, closed: str) -> None:
    assert closing(thought) == closed


@pytest.mark.promise("thinking.stable-prefix")
@given(THOUGHTS, st.sampled_from(["text", "call", "nothing"]))
@pytest.mark.parametrize("template", [CHATML, TRIMMING, None], ids=["chatml", "trimming", "none"])
def test_the_next_prompt_begins_with_what_was_written(template: str | None, thought: str, answer: str) -> None:
    made = builder(template)
    thought = thought.replace(PLACEHOLDER, "\ufffd")
    parts: dict[str, tuple[Part, ...]] = {
        "text": (Text("It is nine."),),
        "call": (Call("a", "get_time", {}),),
        "nothing": (),
    }
    turn = Turn("user", (Result("a", "get_time", "9"),)) if answer == "call" else ASKED
    written = rendered(conversation(ASKED, tools=(CLOCK,)), made) + thought + closing(thought, made)
    written += (
        "It is nine." if answer == "text" else '<function_calls>\n<invoke name="get_time">' * (answer == "call")
    )
    again = conversation(ASKED, replied(Reasoning(thought), *parts[answer]), turn, tools=(CLOCK,))
    # A fence in the conversation is the one thing that is told otherwise.
    assert rendered(again, made).replace("\ufffd", "\ufdd0").startswith(written.replace("\ufffd", "\ufdd0"))


@pytest.mark.promise("prompt.no-control-tokens-from-users")
@given(THOUGHTS, THOUGHTS)
def test_nothing_in_a_thought_or_beside_one_is_markup(thought: str, text: str) -> None:
    turns = (ASKED, replied(Reasoning(f"x{thought}"), Text(f"y{text}")), ASKED)
    segments = BUILDER.build(conversation(*turns), today=TODAY)
    markup = "".join(segment.text for segment in segments if segment.markup)
    plain = [segment.text for segment in segments if not segment.markup]
    assert (markup.count("<|im_start|>"), markup.count(END)) == (5, 4)
    assert plain == [END] * (thought.count(END) + text.count(END))


@given(THOUGHTS)
def test_a_thoughts_segments_are_the_thought(thought: str) -> None:
    segments = BUILDER.thought_segments(thought)
    assert not any(END in segment.text for segment in segments if segment.markup)
    assert "".join(segment.text for segment in segments) in (thought, thought.replace("\ufdd0", "\ufffd"))


def test_thoughts_keep_their_places_among_texts_and_calls() -> None:
    parts = (Reasoning("One.\n"), Text("First."), Reasoning("Two."), Reasoning("Three."), Text("Second."))
    told = rendered(conversation(ASKED, replied(*parts), ASKED))
    assert (
        "assistant\n<thinking>\nOne.\n</thinking>\n\nFirst.\n<thinking>\nTwo.\n</thinking>\n\n"
        "<thinking>\nThree.\n</thinking>\n\nSecond.<|im_end|>\n"
    ) in told


def test_a_placeholder_that_a_client_writes_is_no_thought() -> None:
    sly = f"{PLACEHOLDER}0{PLACEHOLDER}"
    told = rendered(conversation(ASKED, replied(Reasoning("Secret."), Text("Yes.")), Turn("user", (Text(sly),))))
    assert told.count("Secret.") == 1
    assert "user\n\ufffd0\ufffd<|im_end|>" in told


@pytest.mark.promise("thinking.calls-inside")
def test_a_thought_ends_where_it_is_closed_and_where_the_model_may_call() -> None:
    asked = conversation(ASKED, tools=(CLOCK,))
    quiet = Conversation((), (ASKED,), None, (CLOCK,), Choice("none"), thinking=ON)
    assert BUILDER.thought_stops(asked) == ("</thinking>", "<function_calls>", '<invoke name="')
    assert BUILDER.thought_stops(quiet) == BUILDER.thought_stops(conversation(ASKED)) == BUILDER.thought_closings


def test_markers_that_are_control_tokens_of_the_model_are_shown() -> None:
    template = CHATML + "{% if false %}</think>{% endif %}"
    made = builder(template, frozenset({END, "<think>", "</think>"}))
    assert made.family.syntax.control == {"<think>", "</think>"}
    assert made.family.reasoning == (("<think>", "</think>"),)
    assert made.close_thought("Hm.\n") == (Segment("</think>\n\n"),)
    assert builder(template).family.syntax.control == frozenset()
