"""A grammar is made once for the same tools, and kept as long as there is room."""

import logging
from collections.abc import AsyncGenerator

import pytest

from antiphon.dialogue.conversation import Conversation, Text, Turn
from antiphon.dialogue.tools import Choice, Tool
from antiphon.engines.scripted import ScriptedEngine
from antiphon.render.families import FAMILIES, UNIVERSAL
from antiphon.service import grammars
from antiphon.service.grammars import Grammars

TOOL = Tool("get_time", "", {"type": "object", "properties": {"zone": {"type": "string"}}})


def asking(*tools: Tool, choice: Choice | None = None, said: str = "a") -> Conversation:
    return Conversation((), (Turn("user", (Text(said),)),), None, tools, choice or Choice())


@pytest.fixture
async def engine() -> AsyncGenerator[ScriptedEngine]:
    made = ScriptedEngine("m", "")
    await made.start()
    yield made
    await made.aclose()


async def test_the_same_tools_have_the_same_grammar_and_it_is_made_once(
    engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Grammars(engine, UNIVERSAL)
    first = await kept.grammar(asking(TOOL))
    assert first is not None
    monkeypatch.setattr(grammars, "reply_grammar", None)
    assert await kept.grammar(asking(TOOL, said="something else")) is first


async def test_what_changes_the_grammar_makes_another(engine: ScriptedEngine) -> None:
    kept = Grammars(engine, UNIVERSAL)
    asked = [
        asking(TOOL),
        asking(TOOL, choice=Choice("any")),
        asking(TOOL, choice=Choice("any", parallel=False)),
        asking(TOOL, choice=Choice("none")),
        asking(Tool("get_time", "", {"type": "object"})),
        asking(Tool("get_date", "", TOOL.schema)),
    ]
    made = [await kept.grammar(conversation) for conversation in asked]
    assert len(set(made)) == len(asked)
    assert await kept.grammar(asking()) is None


async def test_old_grammars_make_room_for_new_ones(engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    first = await Grammars(engine, UNIVERSAL).grammar(asking(TOOL))
    assert first is not None
    monkeypatch.setattr(grammars, "MOST_BYTES", len(first) + 10)
    kept = Grammars(engine, UNIVERSAL)
    first = await kept.grammar(asking(TOOL))
    await kept.grammar(asking(Tool("get_date", "", TOOL.schema)))
    again = await kept.grammar(asking(TOOL))
    assert again == first
    assert again is not first


async def test_markers_are_control_tokens_only_where_the_model_has_them(engine: ScriptedEngine) -> None:
    family = next(family for family in FAMILIES if family.name == "llama3")
    kept = Grammars(engine, family)
    assert kept.visible == frozenset()
    made = await kept.grammar(asking(TOOL))
    assert made is not None
    assert "<|python_tag|>" in made
    assert "<[" not in made


@pytest.mark.promise("tools.look-ahead")
async def test_what_decoding_does_not_keep_to_is_said_once(
    engine: ScriptedEngine, caplog: pytest.LogCaptureFixture
) -> None:
    def tool(pattern: str, name: str = "note", *, strict: bool = False) -> Tool:
        schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": pattern}}}
        return Tool(name, "", schema, strict=strict)

    kept = Grammars(engine, UNIVERSAL)
    with caplog.at_level(logging.WARNING):
        await kept.grammar(asking(tool("^a"), tool("^(?!a)b", "other")))
        assert caplog.messages == []
        for choice in (Choice(), Choice("any")):
            await kept.grammar(asking(tool(r"(a)\1"), choice=choice))
        await kept.grammar(asking(tool(r"(a)\1", "other"), TOOL))
    assert caplog.messages == [
        "tools: calls of note are not kept to all of its schema: properties.a.pattern: Unsupported regex feature in "
        "pattern field: back-references"
    ]
