"""Where in a prompt the blocks of its request stand, through templates of every family's format."""

from dataclasses import replace
from datetime import date
from typing import Final

import pytest

from antiphon.dialogue.content import Document, SearchResult
from antiphon.dialogue.conversation import Conversation, Origins, Part, Reasoning, Text, Turn
from antiphon.dialogue.media import Image
from antiphon.dialogue.rendered import Segment
from antiphon.dialogue.thinking import Thinking
from antiphon.dialogue.tools import Result, Tool
from antiphon.ports.engine import ModelCard
from antiphon.render.families.syntax import Family
from antiphon.render.prompt.builder import PromptBuilder
from antiphon.render.prompt.places import Places, cut
from tests.render.families.cases import HERE, NATIVE
from tests.render.families.test_prompts import CONVERSATION

DAY: Final = date(2026, 2, 3)

PLAIN: Final = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content | trim }}<|im_end|>\n{% endfor %}"
    "{{ '<|im_start|>assistant\n' }}"
)


def located(conversation: Conversation) -> Conversation:
    """With the paths that its parts would have, were each a block."""
    origins = Origins(
        tuple(f"tools.{n}" for n in range(len(conversation.tools))),
        tuple(f"system.{n}" for n in range(len(conversation.system))),
        tuple(
            tuple(f"messages.{n}.content.{at}" for at in range(len(turn.parts)))
            for n, turn in enumerate(conversation.turns)
        ),
        () if conversation.prefill is None else (("messages.99.content.0", len(conversation.prefill)),),
    )
    return replace(conversation, origins=origins)


def paths(conversation: Conversation) -> list[str]:
    origins = conversation.origins
    within = [path for turn in origins.turns for path in turn]
    return [*origins.tools, *origins.system, *within, *(path for path, _ in origins.prefill)]


def builder(template: str) -> PromptBuilder:
    special = frozenset(("<|im_start|>", "<|im_end|>"))
    return PromptBuilder(ModelCard("m", "m", 4096, chat_template=template, bos_token="<s>", special_tokens=special))


def told(conversation: Conversation, template: str = PLAIN) -> tuple[tuple[Segment, ...], Places | None]:
    prompts = builder(template)
    segments = prompts.build(conversation, today=DAY)
    return segments, prompts.places(conversation, segments, today=DAY)


def prefixes(conversation: Conversation, template: str = PLAIN) -> dict[str, str]:
    """The prompt up to the end of each block, by the block's path."""
    segments, places = told(conversation, template)
    assert places is not None
    order = paths(conversation)
    return {
        path: "".join(segment.text or "[picture]" for segment in cut(segments, end)[0])
        for path, end in zip(order, places.ends(order), strict=True)
    }


def said(*turns: tuple[Part, ...], **more: object) -> Conversation:
    speakers = ("user", "assistant")
    told = tuple(Turn(speakers[n % 2], parts) for n, parts in enumerate(turns))
    return located(replace(Conversation((), told), **more))  # type: ignore[arg-type]


def template_of(family: Family) -> str:
    return (HERE / "templates" / f"{family.name}.jinja").read_text(encoding="utf-8")


@pytest.mark.promise("cache.marks-change-no-prompt")
@pytest.mark.parametrize("family", NATIVE, ids=lambda family: family.name)
def test_templates_of_every_family_carry_the_marks(family: Family) -> None:
    _, places = told(located(CONVERSATION), template_of(family))
    assert places is not None
    assert set(paths(located(CONVERSATION))) - set(places.extents) <= {"messages.5.content.0"}  # a call without input


@pytest.mark.parametrize("family", NATIVE, ids=lambda family: family.name)
def test_no_prefix_has_anything_of_a_later_block_in_it(family: Family) -> None:
    conversation = located(CONVERSATION)
    found = prefixes(conversation, template_of(family))
    texts = {
        "system.0": "Be brief.",
        "messages.0.content.0": "Weather in both capitals?",
        "messages.1.content.0": "Let me look that up.",
        "messages.2.content.0": "rain",
        "messages.3.content.0": "Rain in Paris.",
        "messages.4.content.0": "And the time?",
        "messages.6.content.1": "Answer in words.",
    }
    order = list(found)
    for path, text in texts.items():
        earlier = found[order[order.index(path) - 1]]
        assert text not in earlier
        # Some templates tell of system prompt and tools with the user's last words: there is no such prefix then.
        assert text in found[path] or path == "system.0"


# Those of the first Mistral models tell of the tools with the user's last words, and so anew in every turn.
@pytest.mark.parametrize("family", [one for one in NATIVE if "mistral" not in one.name], ids=lambda one: one.name)
def test_a_prefix_is_the_same_whatever_comes_behind_it(family: Family) -> None:
    whole = CONVERSATION
    found = prefixes(located(whole), template_of(family))
    for turns in (1, 3, 5):
        begun = prefixes(located(replace(whole, turns=whole.turns[:turns])), template_of(family))
        last = list(begun)[-1]
        assert begun[last] == found[last]


def test_a_prefix_ends_with_its_block_s_text() -> None:
    found = prefixes(said((Text("One."), Text("Two.")), (Text("Three."),), (Text("Four."),)))
    assert [each.rpartition("\n")[2] for each in found.values()] == ["One.", "Two.", "Three.", "Four."]


def test_white_space_that_a_template_takes_away_is_no_part_of_a_block() -> None:
    found = prefixes(said((Text("  One.  \n"),)))
    assert found["messages.0.content.0"].endswith("user\nOne.")


def test_control_tokens_of_a_user_s_are_within_the_block() -> None:
    found = prefixes(said((Text("<|im_end|>One.<|im_end|>"),), (Text("Two."),), (Text("Three."),)))
    assert found["messages.0.content.0"].endswith("user\n<|im_end|>One.<|im_end|>")


def test_pictures_and_documents_have_their_places() -> None:
    picture = Image(b"x", 4, 4)
    conversation = said(
        (
            picture,
            Text("What is it?"),
            Document("pdf", ((picture, Text("Page one.")), (Text("Page two."),)), title="A title"),
            SearchResult("https://a.example", "Hit", (Text("Found."),)),
            Result("toolu_1", "look", "", parts=(Text("Seen:"), picture)),
        ),
    )
    found = [prefix.rpartition("\n")[2] for prefix in prefixes(conversation).values()]
    assert found[0] == "[picture]"
    assert found[1] == "[picture]What is it?"
    assert found[2] == "Page two."
    assert found[3] == "Found."
    assert found[4].endswith("[picture]")


def test_thoughts_have_their_places() -> None:
    conversation = said((Text("Hi"),), (Reasoning("Hm."), Text("Ho.")), (Text("Go on."),), thinking=Thinking(100))
    found = list(prefixes(conversation).values())
    assert found[1].endswith("Hm.")
    assert found[2].endswith("Ho.")


def test_what_goes_on_from_a_prefill_ends_with_the_prompt() -> None:
    conversation = said((Text("Hi"),), prefill="The answer is")
    assert list(prefixes(conversation).values())[-1].endswith("assistant\nThe answer is")


def test_the_last_tool_reaches_to_what_is_told_behind_it() -> None:
    tools = (Tool("look", "Looks.", {"type": "object", "properties": {"at": {"type": "string"}}}),)
    conversation = located(Conversation((Text("Be brief."),), (Turn("user", (Text("Hi"),)),), tools=tools))
    found = prefixes(conversation)
    assert '"at"' in found["tools.0"]
    assert "Be brief." not in found["tools.0"]


def test_tools_that_a_template_tells_behind_the_system_prompt_are_no_prefix_of_their_own() -> None:
    hermes = next(family for family in NATIVE if family.name == "hermes")
    found = prefixes(located(CONVERSATION), template_of(hermes))
    assert "get_weather" not in found["tools.1"]
    assert "get_weather" in found["system.0"]
    assert "Weather in both" not in found["system.0"]


def test_a_template_that_does_not_carry_marks_has_no_places() -> None:
    sized = (
        "{% for m in messages %}{{ m.role }}: {{ m.content }}{% if m.content | length > 5 %}!{% endif %}{% endfor %}"
    )
    _, places = told(said((Text("Hi"),)), sized)
    assert places is None


def test_a_conversation_of_no_request_has_no_places() -> None:
    assert told(replace(said((Text("Hi"),)), origins=Conversation((), ()).origins))[1] is None


def test_a_text_that_looks_like_a_mark_changes_nothing() -> None:
    forged = "\U0001fffe0\U0001fffe"
    found = prefixes(said((Text(f"One {forged} two."),), (Text("Three."),), (Text("Four."),)))
    assert found["messages.0.content.0"].endswith(f"One {forged} two.")


def test_a_prompt_is_cut_inside_of_a_segment_and_at_its_edges() -> None:
    segments = (Segment("ab"), Segment("", image=Image(b"x", 1, 1)), Segment("cd", markup=False))
    before, behind = cut(segments, 4)
    assert [segment.text for segment in before] == ["ab", "", "c"]
    assert [segment.text for segment in behind] == ["d"]
    assert cut(segments, 0) == ((), segments)
    assert cut(segments, 5) == (segments, ())
