"""A thinking reply, stretch by stretch: what is generated from what, and what is counted."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from antiphon.dialogue.events import (
    CallStart,
    Finish,
    ReasoningDelta,
    ReasoningEnd,
    ReplyEvent,
    TextDelta,
)
from antiphon.dialogue.thinking import OFF, Thinking
from antiphon.dialogue.tools import Choice, Tool
from antiphon.errors import EngineDied
from antiphon.render.families import hermes
from antiphon.service.reply.stretches import Stretches
from antiphon.service.reply.work import Work
from tests.service.engines import PlannedEngine
from tests.service.works import SEALS, SHORT, work

TOOL = Tool("look", "Look.", {"type": "object", "properties": {"at": {"type": "string"}}})

CALL = ("<function_calls>", '\n<invoke name="look">', '\n<parameter name="at">', "sea</parameter>")

CALL_END = ("\n</invoke>", "\n</function_calls>")

CLOSE = "</thinking>"

LONG = Thinking(50)


async def events(work: Work) -> list[ReplyEvent]:
    return [event async for batch in Stretches(work).run() for event in batch]


def thoughts(told: Sequence[ReplyEvent]) -> list[tuple[str, int]]:
    """The sealed thoughts, with their tokens."""
    found: list[tuple[str, int]] = []
    for event in told:
        if isinstance(event, ReasoningEnd):
            sealed = SEALS.open(event.signature)
            assert sealed is not None
            found.append((sealed.text, sealed.tokens))
    return found


def kinds(told: Sequence[ReplyEvent]) -> list[str]:
    """The kinds of events, runs of one kind as one."""
    names = [type(event).__name__ for event in told]
    return [name for at, name in enumerate(names) if at == 0 or names[at - 1] != name]


def text(told: Sequence[ReplyEvent]) -> str:
    return "".join(event.text for event in told if isinstance(event, TextDelta))


def finish(told: Sequence[ReplyEvent]) -> Finish:
    assert isinstance(told[-1], Finish)
    assert sum(isinstance(event, Finish) for event in told) == 1
    return told[-1]


@pytest.mark.promise("adapter.plain-is-the-base")
@pytest.mark.parametrize(
    ("thinking", "tools", "plain"),
    [(OFF, (), True), (OFF, (TOOL,), False), (SHORT, (), False), (SHORT, (TOOL,), False)],
)
async def test_the_engine_is_told_of_work_without_tools_and_thoughts(
    thinking: Thinking, tools: tuple[Tool, ...], plain: bool
) -> None:
    engine = PlannedEngine([["Yes"], ["."]])
    await events(work(engine, thinking, tools=tools))
    assert {asked.plain for asked in engine.asked} == {plain}


@pytest.mark.promise("thinking.blocks-first", "thinking.usage")
async def test_the_model_thinks_closes_its_thought_and_answers() -> None:
    engine = PlannedEngine([["I ", "see.", "\n", CLOSE, "never"], ["Yes", "."]])
    told = await events(work(engine))
    assert kinds(told) == ["ReasoningDelta", "ReasoningEnd", "TextDelta", "Finish"]
    assert (thoughts(told), text(told)) == ([("I see.\n", 4)], "Yes.")
    assert finish(told) == Finish("end_turn", 6, thinking_tokens=4)
    first, second = engine.asked
    assert (first.max_tokens, second.max_tokens) == (8, 96)
    assert first.stops == (CLOSE,)
    assert second.stops == ()
    # The answer's prompt goes on from the very tokens that were thought.
    number = engine.number
    closing = f"{CLOSE}\n\n"
    assert second.prompt.tokens == (0, number("I "), number("see."), number("\n"), number(closing))
    assert second.prompt.text == f"PROMPTI see.\n{closing}"


@pytest.mark.promise("thinking.budget-enforced")
async def test_a_budget_ends_the_thought_at_its_token_and_what_closes_it_is_not_counted() -> None:
    engine = PlannedEngine([[f"w{n} " for n in range(50)], ["Yes"]])
    told = await events(work(engine, Thinking(3), max_tokens=10))
    assert thoughts(told) == [("w0 w1 w2 ", 3)]
    assert finish(told) == Finish("end_turn", 4, thinking_tokens=3)
    assert engine.asked[1].max_tokens == 7
    assert engine.asked[1].prompt.text == f"PROMPTw0 w1 w2 \n{CLOSE}\n\n"


@pytest.mark.promise("thinking.limits")
@pytest.mark.parametrize("budget", [5, 9])
async def test_a_reply_whose_tokens_are_all_thought_ends_there(budget: int) -> None:
    engine = PlannedEngine([[f"w{n} " for n in range(50)]])
    told = await events(work(engine, Thinking(budget), max_tokens=5))
    assert kinds(told) == ["ReasoningDelta", "ReasoningEnd", "Finish"]
    assert finish(told) == Finish("max_tokens", 5, thinking_tokens=5)


@pytest.mark.promise("thinking.limits")
async def test_a_thought_that_is_closed_with_the_last_token_leaves_no_answer() -> None:
    engine = PlannedEngine([["Hm", CLOSE]])
    told = await events(work(engine, Thinking(8), max_tokens=2))
    assert finish(told) == Finish("max_tokens", 2, thinking_tokens=2)


@pytest.mark.promise("thinking.limits")
@pytest.mark.parametrize(
    ("window", "reason", "written"),
    [
        (1, "model_context_window_exceeded", 0),  # the prompt has filled it
        (2, "model_context_window_exceeded", 1),  # the thought fills it
        (3, "model_context_window_exceeded", 1),  # what closes the thought does
        (4, "model_context_window_exceeded", 2),
        (5, "model_context_window_exceeded", 3),  # the answer does
        (6, "model_context_window_exceeded", 4),
        (8, "end_turn", 6),
    ],
)
async def test_the_window_ends_every_stretch_truthfully(window: int, reason: str, written: int) -> None:
    engine = PlannedEngine([["a", "b", "c", "d"], ["e", "f", "g"]], window=window)
    told = await events(work(engine, Thinking(3)))
    assert (finish(told).reason, finish(told).output_tokens) == (reason, written)


@pytest.mark.promise("thinking.room-for-the-answer")
async def test_in_a_small_window_a_thought_leaves_room_for_the_answer() -> None:
    engine = PlannedEngine([["w "] * 500, ["Yes."]], window=101)
    told = await events(work(engine, Thinking(400), max_tokens=1000))
    assert text(told) == "Yes."
    assert finish(told) == Finish("end_turn", 51, thinking_tokens=50)


async def test_a_model_that_ends_its_turn_in_thought_is_made_to_answer() -> None:
    engine = PlannedEngine([["Hm"], ["Yes"]])
    told = await events(work(engine))
    assert (thoughts(told), text(told)) == ([("Hm", 1)], "Yes")
    assert engine.asked[1].prompt.text == f"PROMPTHm\n{CLOSE}\n\n"


@pytest.mark.promise("thinking.no-empty-block", "thinking.usage")
async def test_a_model_that_thinks_nothing_gives_no_block_and_is_counted() -> None:
    engine = PlannedEngine([["\n", CLOSE], ["Yes"]])
    told = await events(work(engine))
    assert kinds(told) == ["TextDelta", "Finish"]
    assert finish(told) == Finish("end_turn", 3, thinking_tokens=2)


async def test_a_required_thought_is_written_under_a_grammar() -> None:
    engine = PlannedEngine([["Hm", CLOSE], ["Yes"]])
    await events(work(engine, Thinking(8, required=True)))
    assert engine.asked[0].grammar
    assert engine.asked[1].grammar is None


async def test_without_thinking_there_is_one_stretch_and_no_count_of_thoughts() -> None:
    engine = PlannedEngine([["Yes"]])
    told = await events(work(engine, OFF))
    assert told == [TextDelta("Yes"), Finish("end_turn", 1)]
    assert len(engine.asked) == 1


async def test_tokens_that_are_not_known_are_made_from_the_text() -> None:
    engine = PlannedEngine([["I see.", "\n", CLOSE], ["Yes"]], tells_tokens=False)
    await events(work(engine))
    assert engine.asked[1].prompt.tokens == (0, engine.number("I see.\n"), engine.number(f"{CLOSE}\n\n"))


async def test_a_thought_that_ends_inside_of_a_token_is_told_to_its_last_character() -> None:
    engine = PlannedEngine([["I ", "see.</think", "ing>"], ["Yes"]])
    told = await events(work(engine))
    assert thoughts(told) == [("I see.", 3)]
    number = engine.number
    assert engine.asked[1].prompt.tokens == (0, number("I "), number("see."), number(f"\n{CLOSE}\n\n"))


@pytest.mark.promise("stops.not-in-thoughts")
async def test_stop_sequences_are_looked_for_in_the_answer_alone() -> None:
    engine = PlannedEngine([["STOP?", CLOSE], ["Now ", "ST", "OP ", "or never"]])
    told = await events(work(engine, stops=("STOP",)))
    assert (thoughts(told), text(told)) == ([("STOP?", 2)], "Now ")
    assert finish(told) == Finish("stop_sequence", 5, stop_sequence="STOP", thinking_tokens=2)
    assert engine.closed == [0, 1]


@pytest.mark.promise("thinking.calls-in-thoughts")
async def test_a_call_inside_of_a_thought_becomes_a_call_of_the_answer() -> None:
    engine = PlannedEngine([["I look: ", *CALL], [*CALL, *CALL_END]])
    told = await events(work(engine, tools=(TOOL,)))
    assert engine.asked[0].stops[:2] == (CLOSE, "<function_calls>")
    assert thoughts(told) == [("I look: ", 2)]
    assert any(isinstance(event, CallStart) and event.name == "look" for event in told)
    assert finish(told).reason == "tool_use"
    # The call is not left to the model's mood.
    free = await work(PlannedEngine([]), tools=(TOOL,)).served.grammars.grammar(
        replace(work(PlannedEngine([]), tools=(TOOL,)).task.conversation, choice=Choice("any"))
    )
    assert engine.asked[1].grammar == free


@pytest.mark.promise("thinking.tool-choice")
async def test_where_nothing_may_be_called_nothing_in_a_thought_is_a_call() -> None:
    engine = PlannedEngine([["I look: ", *CALL, CLOSE], ["No."]])
    told = await events(work(engine, Thinking(50), tools=(TOOL,), choice=Choice("none")))
    assert engine.asked[0].stops == (CLOSE,)
    assert thoughts(told)[0][0].startswith("I look: <function_calls>")
    assert text(told) == "No."


@pytest.mark.parametrize("number", [0, 1])
async def test_a_fault_of_the_engine_is_raised_from_every_stretch(number: int) -> None:
    engine = PlannedEngine([["Hm", CLOSE], ["Yes"]], fails={number: EngineDied("gone")})
    told: list[ReplyEvent] = []

    async def listen() -> None:
        async for batch in Stretches(work(engine)).run():
            told.extend(batch)

    with pytest.raises(EngineDied):
        await listen()
    assert not any(isinstance(event, Finish) for event in told)
    assert bool(thoughts(told)) == (number == 1)


@pytest.mark.promise("streaming.disconnect-cancels")
@pytest.mark.parametrize("stretch", [0, 1])
async def test_closing_the_reply_in_any_stretch_closes_the_engine_s_work(stretch: int) -> None:
    engine = PlannedEngine([["a", "b", CLOSE], ["c", "d"]])
    batches = Stretches(work(engine)).run()
    seen: list[ReplyEvent] = []
    while not any(isinstance(event, TextDelta if stretch else ReasoningDelta) for event in seen):
        seen += await anext(batches)
    await batches.aclose()
    assert engine.closed == list(range(stretch + 1))


# A model that reasons by nature may go back to it in its answer.
NATIVE = replace(hermes.FAMILY, definitions="system", history="text")


def native(plan: Sequence[Sequence[str]], thinking: Thinking = LONG, **options: Any) -> tuple[PlannedEngine, Work]:
    engine = PlannedEngine(plan, template="{{ messages[-1].content }}<think>\n</think>")
    return engine, work(engine, thinking, family=NATIVE, **options)


@pytest.mark.promise("thinking.reopened")
async def test_a_thought_in_the_answer_is_a_block_of_its_own() -> None:
    plan = [["One", "</think>"], ["Well.", "<think>", "Two", " more", "</think>", "\n\n", "Yes."]]
    engine, asked = native(plan)
    told = await events(asked)
    assert kinds(told) == [
        "ReasoningDelta",
        "ReasoningEnd",
        "TextDelta",
        "ReasoningDelta",
        "ReasoningEnd",
        "TextDelta",
        "Finish",
    ]
    assert thoughts(told) == [("One", 2), ("Two more", 4)]
    assert text(told) == "Well.Yes."
    assert finish(told) == Finish("end_turn", 9, thinking_tokens=6)
    assert len(engine.asked) == 2


@pytest.mark.promise("thinking.reopened", "thinking.budget-enforced")
@pytest.mark.parametrize("budget", [2, 3, 4, 5])
async def test_the_budget_holds_for_thoughts_in_the_answer_too(budget: int) -> None:
    plan = [["One", "</think>"], ["Well.", "<think>", *[f" w{n}" for n in range(20)]], ["Yes."]]
    engine, asked = native(plan, Thinking(budget))
    told = await events(asked)
    end = finish(told)
    assert (end.reason, end.thinking_tokens) == ("end_turn", budget)
    assert text(told) == "Well.Yes."
    rest = "".join(f" w{n}" for n in range(max(0, budget - 3)))
    assert engine.asked[2].prompt.text == f"PROMPTOne\n</think>\n\nWell.<think>{rest}\n</think>\n\n"
    assert engine.closed == [0, 1, 2]


async def test_a_model_that_ends_its_turn_in_a_second_thought_is_made_to_answer() -> None:
    engine, asked = native([["One", "</think>"], ["<think>", "Two"], ["Yes."]])
    told = await events(asked)
    assert (thoughts(told), text(told)) == ([("One", 2), ("Two", 2)], "Yes.")
    assert len(engine.asked) == 3


@pytest.mark.promise("tool-choice.one-call")
async def test_a_thought_behind_the_one_call_that_is_allowed_ends_the_reply() -> None:
    call = ["<tool_call>", '{"name": "look", ', '"arguments": {}}', "</tool_call>", "<think>", "More?"]
    engine, asked = native([["One", "</think>"], call], tools=(TOOL,), choice=Choice("auto", parallel=False))
    told = await events(asked)
    assert finish(told).reason == "tool_use"
    assert len(engine.asked) == 2


@pytest.mark.promise("output.calls-last")
@pytest.mark.parametrize("budget", [2, 3, 50])
@pytest.mark.parametrize("behind", [["<think>", "More?", "</think>", "It is."], ["\n\n", "It ", "is."]])
async def test_nothing_behind_a_call_is_told_and_the_engine_is_stopped_there(behind: list[str], budget: int) -> None:
    call = ["<tool_call>", '{"name": "look", ', '"arguments": {}}', "</tool_call>"]
    plan = [["One", "</think>"], ["Well.", *call, *behind, "never"], ["never"]]
    engine, asked = native(plan, Thinking(budget), tools=(TOOL,))
    told = await events(asked)
    # White space opens no block.
    seen = kinds([event for event in told if not isinstance(event, TextDelta) or event.text.strip()])
    assert seen[-2:] == ["CallEnd", "Finish"]
    assert text(told).strip() == "Well."
    assert finish(told).reason == "tool_use"
    assert thoughts(told) == [("One", 2)]
    assert engine.closed == [0, 1]


async def test_a_second_thought_that_the_limit_cuts_is_complete_as_a_block() -> None:
    _, asked = native([["One", "</think>"], ["Well.", "<think>", "Two", " more"]], max_tokens=5)
    told = await events(asked)
    assert thoughts(told) == [("One", 2), ("Two", 2)]
    assert finish(told) == Finish("max_tokens", 5, thinking_tokens=4)
