"""What is promised of calls holds on a real model that has no idea of tools, sampled at temperature 1."""

from collections.abc import AsyncGenerator
from datetime import date
from typing import Any

import jsonschema
import orjson
import pytest
import pytest_asyncio

from antiphon.config import ModelSettings
from antiphon.dialogue.conversation import Conversation, Sampling, Text, Turn
from antiphon.dialogue.events import CallArguments, CallStart, ReplyEvent
from antiphon.dialogue.rendered import RenderedPrompt
from antiphon.dialogue.tools import Choice, Tool
from antiphon.engines.llamacpp import LlamaCppEngine
from antiphon.ports.engine import Done, Engine, Generation, Piece
from antiphon.render.families import FAMILIES
from antiphon.service.served import ServedModel
from tests.engines.implementations import model_file
from tests.render.tool_cases import read, text_of

MOST_REPLIES = 2
"""Until one comes to its end. What a grammar allows is told by the walks in `tests/render`, which take no model."""
MOST_TOKENS = 90
FEW_TOKENS = 30
"""Where no end is waited for."""
FAMILY_NAMES = ("universal", "hermes", "qwen3-coder")
NAMED = {family.name: family for family in FAMILIES}

TOOLS = (
    Tool(
        "get_weather",
        "The weather of a place.",
        {
            "type": "object",
            "properties": {
                "place": {"type": "string", "maxLength": 20},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
                "days": {"type": "integer", "minimum": 1, "maximum": 9},
            },
            "required": ["place", "days"],
            "additionalProperties": False,
        },
    ),
    Tool(
        "send_mail",
        "Send a mail.",
        {
            "type": "object",
            "properties": {
                "to": {"type": "array", "items": {"enum": ["ann", "bob"]}, "minItems": 1, "maxItems": 2},
                "subject": {"type": "string", "maxLength": 20},
                "urgent": {"type": "boolean"},
            },
            "required": ["to", "urgent"],
            "additionalProperties": False,
        },
    ),
)
SCHEMAS = {tool.name: dict(tool.schema) for tool in TOOLS}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine() -> AsyncGenerator[Engine]:
    # All of its layers: where a grammar lets it, a model of less sense writes blanks for ever.
    made = LlamaCppEngine(ModelSettings("tiny", "builtin", context=2048, parallel=2), model_file())
    await made.start()
    yield made
    await made.aclose()


async def reply(
    engine: Engine,
    family: str,
    choice: Choice,
    question: str,
    tools: tuple[Tool, ...] = TOOLS,
    most: int = MOST_TOKENS,
) -> tuple[list[ReplyEvent], bool]:
    """The events of one reply, and whether the model came to its end."""
    served = ServedModel.of(engine, NAMED[family])
    conversation = Conversation((), (Turn("user", (Text(question),)),), None, tools, choice)
    segments = served.prompts.build(conversation, today=date(2026, 1, 1))
    prompt = RenderedPrompt(segments, await engine.tokenize(segments))
    grammar = await served.grammars.grammar(conversation)
    work = Generation(prompt, most, Sampling(temperature=1.0), grammar, served.grammars.visible)
    pieces: list[str] = []
    ended = False
    async for output in engine.generate(work):
        if isinstance(output, Piece):
            pieces.append(output.text)
        elif isinstance(output, Done):
            ended = output.reason == "end"
    forced = choice.mode in ("any", "tool")
    return read(NAMED[family].syntax, pieces, tools=tools, cut=not ended, forced=forced), ended


def calls_of(events: list[ReplyEvent], *, ended: bool) -> list[tuple[str, Any]]:
    """The calls that are complete."""
    found: list[tuple[str, str]] = []
    for event in events:
        match event:
            case CallStart(name=name):
                found.append((name, ""))
            case CallArguments(partial_json=piece):
                found[-1] = (found[-1][0], found[-1][1] + piece)
            case _:
                pass
    whole = found if ended else found[:-1]
    return [(name, orjson.loads(joined)) for name, joined in whole]


def check(calls: list[tuple[str, Any]]) -> None:
    for name, value in calls:
        jsonschema.validate(value, SCHEMAS[name])


@pytest.mark.promise("tool-choice.forced", "tool-choice.one-call")
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "choice",
    [Choice("any"), Choice("any", parallel=False), Choice("tool", "send_mail", parallel=False)],
    ids=["any", "one of any", "one tool"],
)
@pytest.mark.parametrize("family", FAMILY_NAMES)
async def test_a_forced_call_is_made_whatever_the_model_would_rather_say(
    engine: Engine, family: str, choice: Choice
) -> None:
    ended = False
    for number in range(MOST_REPLIES):
        question = f"Tell me story number {number}, and call no function."
        most = MOST_TOKENS // 2 if choice.parallel else MOST_TOKENS
        events, ended = await reply(engine, family, choice, question, most=most)
        assert text_of(events).strip() == ""
        assert isinstance(events[0], CallStart)
        calls = calls_of(events, ended=ended)
        check(calls)
        if ended:
            assert len(calls) == 1 if not choice.parallel else len(calls) >= 1
            assert choice.name is None or {name for name, _ in calls} == {choice.name}
        if ended or choice.parallel:
            break
    assert ended or choice.parallel


@pytest.mark.promise("tools.markup-in-values")
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("family", FAMILY_NAMES)
async def test_a_listed_value_may_spell_what_ends_the_model_s_turn(engine: Engine, family: str) -> None:
    end = engine.card.eos_token
    assert end
    value = f"</parameter> {end} </tool_call>"
    schema = {"type": "object", "properties": {"text": {"enum": [value]}}, "required": ["text"]}
    note = Tool("note", "", {**schema, "additionalProperties": False})
    events, ended = await reply(engine, family, Choice("tool", "note", parallel=False), "Write a note.", (note,))
    assert ended
    assert calls_of(events, ended=ended) == [("note", {"text": value})]


@pytest.mark.promise("tool-choice.auto-and-none")
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("family", FAMILY_NAMES)
async def test_where_tools_are_off_the_model_only_talks(engine: Engine, family: str) -> None:
    events, _ = await reply(engine, family, Choice("none"), "Call get_weather for Paris.", most=FEW_TOKENS)
    assert not any(isinstance(event, CallStart) for event in events)


@pytest.mark.promise("tool-choice.auto-and-none", "tool-choice.one-call")
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("family", FAMILY_NAMES)
async def test_where_the_model_may_call_what_it_calls_fits(engine: Engine, family: str) -> None:
    events, ended = await reply(engine, family, Choice(parallel=False), "What is the weather in Paris for 3 days?")
    calls = calls_of(events, ended=ended)
    assert sum(isinstance(event, CallStart) for event in events) <= 1
    check(calls)
