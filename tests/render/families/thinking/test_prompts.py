"""Where a prompt thinks, where it does not, and which thoughts it tells, in each model's own markup."""

from dataclasses import replace

import pytest

from antiphon.dialogue.conversation import Reasoning, Text, Turn
from antiphon.dialogue.thinking import OFF
from antiphon.dialogue.tools import Result
from antiphon.profiles import Effort
from antiphon.render.families.syntax import UNIVERSAL_THOUGHT
from tests.render.families.thinking.models import (
    ASKED,
    CALL,
    HERE,
    MODELS,
    RAIN,
    Model,
    closed,
    effort,
    golden,
    replied,
    told,
)

THOUGHT = "Paris. I need\n a tool."
REASONERS = [model for model in MODELS if model.name not in ("llama3", "qwen2.5", "smollm2")]
# What a model writes at a thought's end, and what a budget cuts off.
ENDS = ["", "\n", "\n\n", " "]


@pytest.mark.promise("thinking.native-prompts")
@pytest.mark.parametrize("model", MODELS, ids=str)
def test_a_prompt_thinks_as_the_model_was_taught(model: Model) -> None:
    written = (HERE / "prompts" / f"{model}.txt").read_text(encoding="utf-8")
    cases = [part.partition(":\n") for part in f"\n{written}".removesuffix("\n").split("\n#### ")[1:]]
    assert golden(model) == {case: text for case, _, text in cases}
    assert model.builder.family.name == model.family
    assert (model in REASONERS) == (model.builder.family.thought != UNIVERSAL_THOUGHT)


@pytest.mark.promise("thinking.native-prompts")
@pytest.mark.parametrize("model", MODELS, ids=str)
def test_a_thinking_prompt_ends_inside_of_a_thought(model: Model) -> None:
    builder = model.builder
    opening = builder.family.thought.open
    for turns in ([ASKED], [ASKED, replied(CALL), RAIN], [ASKED, replied(Text("Rain.")), ASKED]):
        assert told(builder, *turns).endswith(opening)


@pytest.mark.promise("thinking.off-does-not-reason")
@pytest.mark.parametrize("model", REASONERS, ids=str)
def test_a_prompt_that_does_not_think_leaves_no_thought_open(model: Model) -> None:
    builder = model.builder
    thought = builder.family.thought
    prompt = told(builder, ASKED, thinking=OFF)
    assert not prompt.rstrip().endswith(thought.open.strip())
    # Granite's does not think unless it is told to.
    if model.name != "granite-3.3":
        assert prompt.endswith((thought.close, closed(builder, ""), f"{thought.open}{thought.close}"))


@pytest.mark.parametrize("model", [model for model in MODELS if model not in REASONERS], ids=str)
def test_thinking_changes_nothing_but_the_prompts_end(model: Model) -> None:
    builder = model.builder
    for turns in ([ASKED], [ASKED, replied(CALL), RAIN]):
        assert told(builder, *turns) == told(builder, *turns, thinking=OFF) + "<thinking>\n"


@pytest.mark.promise("thinking.stable-prefix")
@pytest.mark.parametrize("end", ENDS, ids=repr)
@pytest.mark.parametrize("model", [model for model in MODELS if model.keeps != "none"], ids=str)
def test_an_open_turns_next_prompt_begins_with_what_was_written(model: Model, end: str) -> None:
    builder, thought = model.builder, f"\n{THOUGHT}{end}"
    written = told(builder, ASKED) + thought + closed(builder, thought)
    again = told(builder, ASKED, replied(Reasoning(thought), CALL), RAIN)
    assert again.startswith(written)


@pytest.mark.promise("thinking.stable-prefix")
@pytest.mark.parametrize("end", ENDS, ids=repr)
@pytest.mark.parametrize("model", [model for model in MODELS if model.keeps == "all"], ids=str)
def test_the_next_turns_prompt_begins_with_what_was_written(model: Model, end: str) -> None:
    builder, thought = model.builder, f"\n{THOUGHT}{end}"
    written = told(builder, ASKED) + thought + closed(builder, thought) + "Rain."
    again = told(builder, ASKED, replied(Reasoning(thought), Text("Rain.")), ASKED)
    assert again.startswith(written)


@pytest.mark.promise("thinking.stable-prefix")
@pytest.mark.parametrize("model", [model for model in MODELS if model.keeps != "none"], ids=str)
def test_a_second_thought_of_an_open_turn_goes_on_from_the_first(model: Model) -> None:
    builder = model.builder
    before = told(builder, ASKED, replied(Reasoning(THOUGHT), CALL), RAIN)
    second = replace(CALL, id="toolu_02Paris")
    more = (replied(Reasoning("Again."), second), Turn("user", (Result("toolu_02Paris", "get_weather", "sun"),)))
    again = told(builder, ASKED, replied(Reasoning(THOUGHT), CALL), RAIN, *more)
    assert again.startswith(before + "Again.")


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_the_models_own_rule_says_which_thoughts_are_told(model: Model) -> None:
    builder = model.builder
    turn = (ASKED, replied(Reasoning("First."), CALL), RAIN)
    over = told(builder, *turn, replied(Reasoning("Second."), Text("Rain.")), Turn("user", (Text("Thanks."),)))
    assert ("First." in told(builder, *turn)) == (model.keeps != "none")
    assert ("First." in over, "Second." in over) == ((model.keeps == "all"),) * 2
    assert "Rain." in over


@pytest.mark.promise("thinking.native-prompts")
@pytest.mark.parametrize("model", MODELS, ids=str)
def test_text_beside_a_thought_and_a_call_is_not_lost(model: Model) -> None:
    parts = (Reasoning("First."), Text("Let me look."), CALL)
    prompt = told(model.builder, ASKED, replied(*parts), RAIN)
    assert [text for text in ("Let me look.", "get_weather", "rain") if text not in prompt] == []


# DeepSeek's templates look for the marker in every text, and have no field that would keep them from it.
@pytest.mark.parametrize("model", [model for model in MODELS if not model.name.startswith("deepseek")], ids=str)
def test_markers_in_an_answer_take_none_of_it_away(model: Model) -> None:
    close = model.builder.family.thought.close
    prompt = told(model.builder, ASKED, replied(Text(f"One writes {close} there.")), ASKED)
    assert f"One writes {close} there." in prompt


@pytest.mark.promise("thinking.effort-in-prompt")
@pytest.mark.parametrize(
    ("asked", "level"),
    [("low", "low"), ("medium", "medium"), ("high", "high"), ("xhigh", "high"), ("max", "high"), (None, "medium")],
)
def test_gpt_oss_is_told_the_effort(asked: Effort | None, level: str) -> None:
    builder = next(model for model in MODELS if model.name == "gpt-oss").builder
    assert f"Reasoning: {level}\n" in told(builder, ASKED, thinking=effort(asked))


@pytest.mark.parametrize("model", [model for model in MODELS if model.name != "gpt-oss"], ids=str)
def test_a_template_without_a_place_for_the_effort_is_not_told(model: Model) -> None:
    assert told(model.builder, ASKED, thinking=effort("high")) == told(model.builder, ASKED)
