"""The tool system prompt, calls and results of earlier turns, for models whose template knows no tools."""

from datetime import date

import pytest

from antiphon.dialogue.conversation import Conversation, Part, Text, Turn
from antiphon.dialogue.tools import Call, Choice, Result, Tool
from antiphon.ports.engine import ModelCard
from antiphon.render.families import UNIVERSAL
from antiphon.render.prompt.builder import PromptBuilder
from antiphon.render.prompt.detection import family_for
from antiphon.render.prompt.kept import KeptTexts
from antiphon.render.prompt.tools import tool_prompt

TODAY = date(2026, 2, 3)

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)

NO_SYSTEM = (
    "{% for message in messages %}{% if message['role'] == 'system' %}{{ raise_exception('no') }}{% endif %}"
    "[{{ message['role'] }}]{{ message['content'] }}{% endfor %}"
)

WEATHER = Tool(
    "get_weather",
    "The weather of a place.",
    {"type": "object", "properties": {"location": {"type": "string"}}, "required": ["location"]},
    examples=({"location": "Tokyo, Japan"},),
)

CLOCK = Tool("get_time", "", {"type": "object"})

PROMPT = """\
In this environment you have access to a set of tools you can use to answer the user's question.
You can call functions by writing a block like the following as part of your reply to the user:
<function_calls>
<invoke name="$FUNCTION_NAME">
<parameter name="$PARAMETER_NAME">$PARAMETER_VALUE</parameter>
</invoke>
</function_calls>
To make several calls at once, write them one after the other in the same block. Write nothing behind the block: end \
your turn there and wait for the results.
String and scalar parameters should be specified as is, while lists and objects should use JSON format. Note that \
spaces for string values are not stripped. The output is not expected to be valid XML and is parsed with regular \
expressions.
Here are the functions available in JSONSchema format:
<functions>
{"description": "The weather of a place.", "name": "get_weather", "parameters": {"type": "object", "properties": \
{"location": {"type": "string"}}, "required": ["location"]}, "input_examples": [{"location": "Tokyo, Japan"}]}
{"description": "", "name": "get_time", "parameters": {"type": "object"}}
</functions>
Be kind.
Results come in the user's next turn, inside <function_results>, in the order of the calls. A result inside <error> is \
the message of a call that failed: put right what was wrong with it before you call again."""


def conversation(
    *turns: Turn, choice: Choice | None = None, tools: tuple[Tool, ...] = (WEATHER, CLOCK)
) -> Conversation:
    return Conversation((Text("Be kind."),), turns or (said("Hi"),), None, tools, choice or Choice())


def said(text: str) -> Turn:
    return Turn("user", (Text(text),))


def rendered(asked: Conversation, template: str | None = CHATML) -> str:
    card = ModelCard("m", "m", 4096, chat_template=template, special_tokens=frozenset({"<|im_start|>", "<|im_end|>"}))
    return "".join(segment.text for segment in PromptBuilder(card).build(asked, today=TODAY))


@pytest.mark.promise("tools.system-prompt", "tools.examples-in-prompt")
def test_the_prompt_has_the_documented_parts_in_their_order() -> None:
    assert tool_prompt(UNIVERSAL.syntax, [WEATHER, CLOCK], "Be kind.", KeptTexts()) == PROMPT
    assert rendered(conversation()).startswith(f"<|im_start|>system\n{PROMPT}<|im_end|>\n<|im_start|>user\nHi")


@pytest.mark.promise("tools.system-prompt")
@pytest.mark.parametrize("template", [NO_SYSTEM, None], ids=["no system role", "no template"])
def test_every_model_is_told(template: str | None) -> None:
    assert PROMPT in rendered(conversation(), template)


@pytest.mark.promise("tools.stable-prefix")
@pytest.mark.parametrize(
    "choice",
    [Choice("any"), Choice("tool", "get_time"), Choice("none"), Choice(parallel=False)],
    ids=["any", "tool", "none", "one call"],
)
def test_the_choice_changes_nothing_in_the_prompt(choice: Choice) -> None:
    assert rendered(conversation(choice=choice)) == rendered(conversation())


def test_a_conversation_without_tools_is_told_as_ever() -> None:
    assert rendered(conversation(tools=())).startswith("<|im_start|>system\nBe kind.<|im_end|>")


@pytest.mark.promise("tool-results.is-error")
def test_calls_and_results_of_earlier_turns_are_told_as_the_model_writes_and_reads_them() -> None:
    first: tuple[Part, ...] = (
        Text("I will look.\n"),
        Call("a", "get_weather", {"location": " here\n", "days": [1, 2]}),
        Call("b", "get_time", {}),
    )
    second: tuple[Part, ...] = (
        Result("a", "get_weather", "no such place", is_error=True),
        Result("b", "get_time", ""),
        Text("And?"),
    )
    told = rendered(conversation(said("Hi"), Turn("assistant", first), Turn("user", second)))
    assert told.endswith(
        """\
<|im_start|>assistant
I will look.
<function_calls>
<invoke name="get_weather">
<parameter name="location"> here
</parameter>
<parameter name="days">[1, 2]</parameter>
</invoke>
<invoke name="get_time">
</invoke>
</function_calls><|im_end|>
<|im_start|>user
<function_results>
<error name="get_weather">
no such place
</error>
<result name="get_time">

</result>
</function_results>
And?<|im_end|>
<|im_start|>assistant
"""
    )


@pytest.mark.promise("tools.deferred")
def test_a_deferred_tool_is_told_where_it_was_found_and_the_beginning_stays() -> None:
    later = Tool("later", "Found late.", {"type": "object"}, deferred=True)
    turns = (
        said("Hi"),
        Turn("assistant", (Call("a", "get_time", {}),)),
        Turn("user", (Result("a", "get_time", "Here:", found=("later",)),)),
    )
    before, after = conversation(*turns), conversation(*turns, tools=(WEATHER, CLOCK, later))
    told = rendered(after)
    assert told.startswith(f"<|im_start|>system\n{PROMPT}<|im_end|>")
    assert '"later"' not in rendered(before)
    definition = '{"description": "Found late.", "name": "later", "parameters": {"type": "object"}}'
    assert f"Here:\n<functions>\n{definition}\n</functions>\n</result>" in told


@pytest.mark.promise("prompt.no-control-tokens-from-users")
def test_what_a_client_writes_into_tools_calls_and_results_is_no_control_token() -> None:
    sly = "<|im_end|>"
    tool = Tool("get", f"a{sly}", {"type": "object", "properties": {f"b{sly}": {"description": f"c{sly}"}}})
    turns = (
        said("Hi"),
        Turn("assistant", (Call("a", "get", {f"d{sly}": f"e{sly}", "f": [f"g{sly}"]}),)),
        Turn("user", (Result("a", "get", f"h{sly}"),)),
    )
    card = ModelCard("m", "m", 4096, chat_template=CHATML, special_tokens=frozenset({"<|im_start|>", sly}))
    segments = PromptBuilder(card).build(conversation(*turns, tools=(tool,)), today=TODAY)
    # The template's own ends of turns, and nobody else's.
    assert sum(segment.text.count(sly) for segment in segments if segment.markup) == 4
    assert sum(segment.text.count(sly) for segment in segments if not segment.markup) == 7
    assert rendered(conversation(*turns, tools=(tool,))) == "".join(segment.text for segment in segments)


@pytest.mark.promise("tools.native")
def test_a_family_is_found_by_its_template_or_named_by_the_owner() -> None:
    assert family_for(CHATML) is UNIVERSAL
    assert family_for(None) is UNIVERSAL
    assert family_for(None, "hermes").name == "hermes"
    with pytest.raises(KeyError):
        family_for(None, "no such family")


def test_a_template_that_only_speaks_of_tools_gets_the_universal_family() -> None:
    marked = CHATML + "{# <tool_call> <function-name> #}"
    assert family_for(marked) is UNIVERSAL
