"""The grammar of each family lets through what its models write, and nothing that breaks the promise."""

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llguidance import LLMatcher, LLTokenizer, TokenizerWrapper

from antiphon.dialogue.tools import Choice
from antiphon.render.families import FAMILIES
from antiphon.render.families.syntax import CallSyntax, Family
from antiphon.render.grammar.calls import call_grammar
from antiphon.render.reading.calls import CallReader
from tests.render.families.cases import NATIVE, TOOLS, Told, Transcript, told, transcripts
from tests.render.walk import Bytes

CANONICAL = ("one", "several", "nested", "no-arguments", "multi-line")
AUTO, ANY, ONE = Choice(), Choice("any"), Choice("any", parallel=False)


def matcher(syntax: CallSyntax, choice: Choice) -> tuple[LLMatcher, Bytes]:
    """The family's grammar at work, and the tokenizer that it works on."""
    tokenizer = Bytes(tuple(sorted(syntax.control)))
    grammar = call_grammar(
        syntax, TOOLS, choice, lambda tool: tool.schema, tokens=tokenizer.ids, spoken=frozenset(syntax.control)
    )
    made = LLMatcher(LLTokenizer(TokenizerWrapper(tokenizer)), grammar)
    assert not made.is_error(), made.get_error()
    return made, tokenizer


def accepts(syntax: CallSyntax, choice: Choice, text: str, *, whole: bool = True) -> bool:
    """Whether the model may write this text, and end there where it is the `whole` reply."""
    made, tokenizer = matcher(syntax, choice)
    tokens = tokenizer.split(text)
    return made.try_consume_tokens(tokens) == len(tokens) and (not whole or made.is_accepting())


def canonical(*cases: str) -> list[Transcript]:
    return [one for one in transcripts() if one.case in cases]


@pytest.mark.promise("tools.native-grammars")
@pytest.mark.parametrize("transcript", canonical(*CANONICAL, "text-before", "text-only"), ids=str)
def test_what_a_model_writes_of_itself_is_let_through(transcript: Transcript):
    assert accepts(transcript.family.syntax, AUTO, transcript.text)


@pytest.mark.promise("tools.native-grammars", "tools.forced")
@pytest.mark.parametrize("transcript", canonical(*CANONICAL), ids=str)
def test_a_forced_call_is_let_through(transcript: Transcript):
    assert accepts(transcript.family.syntax, ANY, transcript.text)


@pytest.mark.promise("tools.forced")
@pytest.mark.parametrize("transcript", canonical("text-before", "text-only"), ids=str)
def test_text_is_no_forced_call(transcript: Transcript):
    assert not accepts(transcript.family.syntax, ANY, transcript.text, whole=False)


@pytest.mark.promise("tools.exactly-one")
@pytest.mark.parametrize("transcript", canonical("several"), ids=str)
def test_a_second_call_is_not_let_through_where_there_may_be_one(transcript: Transcript):
    assert not accepts(transcript.family.syntax, ONE, transcript.text)
    assert not accepts(transcript.family.syntax, Choice(parallel=False), transcript.text)


@pytest.mark.promise("tools.known-names-only")
@pytest.mark.parametrize("choice", [AUTO, ANY], ids=["auto", "any"])
@pytest.mark.parametrize("transcript", canonical("one"), ids=str)
def test_an_unknown_tool_cannot_be_called(transcript: Transcript, choice: Choice):
    assert not accepts(transcript.family.syntax, choice, transcript.text.replace("get_weather", "get_whatever"))


@pytest.mark.promise("tools.required-parameters")
@pytest.mark.parametrize("choice", [AUTO, ANY], ids=["auto", "any"])
@pytest.mark.parametrize("transcript", canonical("no-arguments"), ids=str)
def test_a_required_parameter_cannot_be_left_out(transcript: Transcript, choice: Choice):
    text = transcript.text.replace("get_time", "get_weather")
    assert not accepts(transcript.family.syntax, choice, text)


@pytest.mark.promise("tools.named-tool")
@pytest.mark.parametrize("transcript", canonical("one"), ids=str)
def test_only_the_named_tool_can_be_called(transcript: Transcript):
    assert accepts(transcript.family.syntax, Choice("tool", "get_weather"), transcript.text)
    assert not accepts(transcript.family.syntax, Choice("tool", "search"), transcript.text)


@pytest.mark.promise("tools.none")
@pytest.mark.parametrize("transcript", canonical("one", "several", "text-before"), ids=str)
def test_where_tools_are_off_no_call_can_be_made(transcript: Transcript):
    assert not accepts(transcript.family.syntax, Choice("none"), transcript.text)


@pytest.mark.promise("tools.none")
@pytest.mark.parametrize("transcript", canonical("text-only"), ids=str)
def test_where_tools_are_off_text_is_free(transcript: Transcript):
    assert accepts(transcript.family.syntax, Choice("none"), transcript.text)


LOOKALIKES = [
    ("llama3", '{ "name": "get_weather", "parameters": {}}'),
    ("llama3", '<|python_tag|>{"name": "get_time", "parameters": {}}; {"name": "get_weather", "parameters": {}}'),
    ("llama3", '{"name": "get_time", "parameters": {}}\n{"name":"get_weather","parameters":{}}'),
    ("universal", "<invoke name='get_weather'>\n</invoke>"),
    ("universal", '<invoke  name="get_weather">\n</invoke>'),
    ("gpt-oss", "<|channel|>commentary   to=functions.get_weather <|constrain|>json<|message|>{}<|call|>"),
    ("gpt-oss", "to=functions.get_weather<|channel|>commentary json<|message|>{}"),
    ("deepseek-v3.1", "<｜tool calls  begin｜><｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{}<｜tool▁call▁end｜>"),
    ("mistral", "[TOOL_CALLS]get_weather[CALL_ID]123456789[ARGS]{}"),
    ("granite-3", '<tool_call>[{"name": "get_weather", "arguments": {}}]'),
    ("qwen3-coder", "<function=get_weather></function>"),
    ("hermes", '<tool_call>{"name":"get_weather","arguments":{}}</tool_call>'),
]


def calls_in(syntax: CallSyntax, text: str) -> list[Told]:
    """The calls that a reader finds where the engine keeps to the grammar."""
    reader = CallReader(syntax, TOOLS, lambda: "toolu_1", enforced=True)
    return [part for part in told([*reader.feed(text), *reader.finish(cut=False)]) if part[0] == "call"]


def is_whole(call: Told) -> bool:
    """Whether the call has what its tool requires."""
    tool = next(tool for tool in TOOLS if tool.name == call[1])
    return set(tool.schema.get("required", ())) <= call[2].keys()


@pytest.mark.promise("tools.known-names-only", "tools.required-parameters")
@pytest.mark.parametrize("parallel", [True, False])
@pytest.mark.parametrize(("name", "text"), LOOKALIKES)
def test_what_the_grammar_holds_for_text_is_not_read_as_a_call(name: str, text: str, parallel: bool):
    family = next(family for family in FAMILIES if family.name == name)
    if accepts(family.syntax, Choice(parallel=parallel), text):
        assert [call for call in calls_in(family.syntax, text) if not is_whole(call)] == []


@pytest.mark.promise("tools.known-names-only", "tools.required-parameters", "tools.exactly-one", "tools.none")
@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_the_grammar_lets_through_is_read_as_whole_calls(data: st.DataObject):
    family = data.draw(st.sampled_from(FAMILIES))
    choice = data.draw(st.sampled_from([AUTO, Choice(parallel=False), ANY, ONE, Choice("none")]))
    made, tokenizer = matcher(family.syntax, choice)
    written = ""
    for piece in data.draw(st.lists(st.sampled_from(fragments(family)), min_size=1, max_size=14)):
        tokens = tokenizer.split(piece)
        taken = made.deep_copy().try_consume_tokens(tokens)
        assert made.try_consume_tokens(tokens[:taken]) == taken
        written += tokenizer.text(tokens[:taken])
    if not made.is_accepting():
        return
    calls = calls_in(family.syntax, written)
    assert all(map(is_whole, calls)), written
    if choice.mode == "none":
        assert calls == [], written
    elif not choice.parallel:
        assert len(calls) <= 1, written
    if choice.mode == "any":
        assert calls, written


@cache
def fragments(family: Family) -> list[str]:
    """Whole calls, and pieces of markup to put together wrongly."""
    syntax = family.syntax
    replies = [one.text for one in transcripts() if one.family is family]
    markup = [syntax.section_open, syntax.call_open, syntax.after_name, syntax.call_close, syntax.section_close]
    markup += [syntax.between, *syntax.triggers, *syntax.first_triggers, *syntax.lenient_opens]
    words = ["get_weather", "get_time", "whatever", '{"city": "Paris"}', "{}", " ", "\n", "text", "<", "{"]
    return [piece for piece in [*replies, *markup, *words] if piece]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
@pytest.mark.parametrize("choice", [AUTO, ANY, ONE, Choice("none"), Choice("tool", "search")], ids=repr)
def test_every_grammar_compiles(family: Family, choice: Choice):
    accepts(family.syntax, choice, "")


def test_the_transcripts_cover_every_family():
    assert {one.family.name for one in canonical(*CANONICAL)} == {family.name for family in NATIVE}
