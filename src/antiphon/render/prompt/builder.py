"""A conversation → the segments of a prompt, through the model's own chat template.

What a user writes must not become a control token. Where a text contains one of the model's special tokens, it
is fenced with a code point that occurs nowhere else in the conversation; after the template has run, the
fences mark the stretches that the tokenizer has to read as plain text. Texts without one (nearly all) are
not touched, so the template and the tokenizer see them whole.

Pictures are segments of their own. Documents and search results are told in words.

Whether the reply thinks shows at the prompt's end: system prompt, tools and turns are told alike, so that the prefix
that an engine keeps stays the same, except where the model's own template says it elsewhere.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from antiphon.dialogue.conversation import NOWHERE, Conversation, Reasoning
from antiphon.dialogue.rendered import Segment
from antiphon.ports.engine import ModelCard
from antiphon.render.families.markers import triggers_of
from antiphon.render.families.syntax import UNIVERSAL_THOUGHT, Family
from antiphon.render.prompt.detection import family_for
from antiphon.render.prompt.documents import ToldContents, has_contents
from antiphon.render.prompt.kept import KeptTexts
from antiphon.render.prompt.mapped import mapped, texts_of
from antiphon.render.prompt.messages import PART_SEPARATOR, Messages, definitions_for_template
from antiphon.render.prompt.pictures import PICTURE, ToldPictures
from antiphon.render.prompt.places import Marks, Places
from antiphon.render.prompt.special import special_pattern
from antiphon.render.prompt.template import Abilities, ChatTemplate, TemplateError
from antiphon.render.prompt.thoughts import PLACEHOLDER, ToldThoughts, closing, opened, switched, thought_of, unopened

__all__ = ["PART_SEPARATOR", "PromptBuilder"]

_FENCES = [chr(point) for point in range(0xFDD0, ord(PICTURE))]  # noncharacters: no text needs them

_LOST = "\ufffd"

_SPELLED_OTHERWISE = re.compile(r'["\\\x00-\x1f\x7f]')


class PromptBuilder:
    """Renders conversations for one model. The same conversation on the same day gives the same prompt.

    `family`: how the model is told of tools; by default what its template fits.
    """

    def __init__(self, card: ModelCard, family: Family | None = None) -> None:
        self._kept = KeptTexts()
        self._template = ChatTemplate(
            card.chat_template, bos_token=card.bos_token, eos_token=card.eos_token, kept=self._kept
        )
        self.family = _told(
            family_for(card.chat_template) if family is None else family, self._template.abilities, card
        )
        self._special = special_pattern(card.special_tokens)
        self._shows_in_json = not any(map(_SPELLED_OTHERWISE.search, card.special_tokens))

    def build(self, conversation: Conversation, *, today: date) -> tuple[Segment, ...]:
        """The prompt's segments, prefill included; raises `TemplateError` when the model cannot be told this.

        Where the reply thinks, the prompt ends inside of its thought. Otherwise a model that reasons by nature is
        kept from it: by its template's own switch, or by a closed section with nothing in it.

        Earlier thoughts are told as far as the model's own template tells them, whatever the conversation keeps:
        DeepSeek's drops all of them; those of Qwen3, GLM 4.5, MiniMax M2 and Gemma 4 drop what was thought before the
        user's last words, those of gpt-oss and Kimi K2 what was thought before the last answer without calls. Such a
        prompt goes on from an earlier one only up to the first thought that was dropped.
        """
        return self._told(self._unforged(conversation), today)

    def places(self, conversation: Conversation, told: Sequence[Segment], *, today: date) -> Places | None:
        """Where the conversation's blocks stand in the prompt that was told of it; None where that cannot be said."""
        conversation = self._unforged(conversation)
        marks = Marks.for_texts(conversation)
        if marks is None or conversation.origins is NOWHERE:
            return None
        try:
            return marks.places(told, self._told(marks.put(conversation), today))
        except TemplateError:
            return None

    def _unforged(self, conversation: Conversation) -> Conversation:
        marks = [PICTURE] if has_contents(conversation) else []
        return _unforged(conversation, [PLACEHOLDER, *marks] if _has_thoughts(conversation) else marks)

    def _told(self, conversation: Conversation, today: date) -> tuple[Segment, ...]:
        pictures = ToldPictures()
        if has_contents(conversation):
            conversation = ToldContents(pictures).of(conversation)
        # JSON spells quotes, backslashes and control characters otherwise: tokens with those need the texts as such.
        if not self._has_special(texts_of(conversation, objects_as_json=self._shows_in_json)):
            return pictures.put([Segment(self._render(conversation, pictures, today))])
        fence = _free_fence(texts_of(conversation))
        fenced = mapped(conversation, lambda text: self._fence(text, fence))
        return pictures.put(_split(self._render(fenced, pictures, today), fence))

    @property
    def thought_closings(self) -> tuple[str, ...]:
        """The texts with which the model closes a thought."""
        return (self.family.thought.close,)

    def thought_stops(self, conversation: Conversation) -> tuple[str, ...]:
        """The texts that end a thought, closings first; where the model may call, also those that begin a call.

        Models are known to call from inside of a thought; what comes behind the call's beginning is for the answer.
        """
        calls = conversation.offered and conversation.choice.mode == "auto"
        return (*self.thought_closings, *(triggers_of(self.family.syntax) if calls else ()))

    def close_thought(self, thought: str) -> tuple[Segment, ...]:
        """What comes between this thought, as the model wrote it, and the answer."""
        return (Segment(closing(self.family.thought, thought)),)

    def thought_segments(self, thought: str) -> tuple[Segment, ...]:
        """A thought as prompt text: nothing in it becomes a control token."""
        if not self._has_special((thought,)):
            return (Segment(thought),) if thought else ()
        fence = _free_fence((thought,))
        return _split(self._fence(thought, fence), fence)

    def _render(self, conversation: Conversation, pictures: ToldPictures, today: date) -> str:
        family, abilities, thinking = self.family, self._template.abilities, conversation.thinking
        thoughts = ToldThoughts(family.thought)
        messages = Messages(abilities, family, thoughts, self._kept).of(conversation)
        tools = definitions_for_template(conversation.tools) if family.definitions == "template" else ()
        variables = switched(thinking.budget > 0, thinking.effort, family.efforts)
        told = self._template.render(messages, today=today, tools=tools, variables=variables)
        pictures.check(messages, told)
        if thinking.budget > 0:
            told = opened(family.thought, told, abilities.reply_gap)
        else:
            told = unopened(family.thought, told, switch=abilities.thinking_switch)
        return thoughts.fill(told) + (conversation.prefill or "")

    def _has_special(self, texts: Iterable[str]) -> bool:
        return self._special is not None and any(map(self._special.search, texts))

    def _fence(self, text: str, fence: str) -> str:
        assert self._special is not None
        return self._special.sub(lambda found: f"{fence}{found[0]}{fence}", text.replace(fence, _LOST))


def _told(family: Family, abilities: Abilities, card: ModelCard) -> Family:
    """The family, in our words and its own syntax where this template has none: an owner may name any family."""
    thought = thought_of(family.thought, card.chat_template, abilities.around_thought)
    markers = "".join((thought.open, thought.close, thought.after, *thought.frame))
    shown = {token for token in card.special_tokens if token.strip() and token in markers}
    pair = (thought.open.strip(), thought.close)
    natural = thought != UNIVERSAL_THOUGHT and pair not in family.reasoning
    return replace(
        family,
        definitions=family.definitions if abilities.tools else "system",
        history=family.history if abilities.calls else "text",
        thought=thought,
        reasoning=(*family.reasoning, pair) if natural else family.reasoning,
        syntax=replace(family.syntax, control=family.syntax.control | shown),
    )


def _unforged(conversation: Conversation, marks: Sequence[str]) -> Conversation:
    """The conversation without these marks of the placeholders that it is going to have."""
    if not marks or not any(mark in text for mark in marks for text in texts_of(conversation, objects_as_json=True)):
        return conversation
    table = str.maketrans(dict.fromkeys(marks, _LOST))
    return mapped(conversation, lambda text: text.translate(table))


def _has_thoughts(conversation: Conversation) -> bool:
    return any(isinstance(part, Reasoning) for turn in conversation.turns for part in turn.parts)


def _free_fence(texts: Iterable[str]) -> str:
    used: set[str] = set[str]().union(*texts)
    return next((fence for fence in _FENCES if fence not in used), _FENCES[0])


def _split(text: str, fence: str) -> tuple[Segment, ...]:
    stretches: Sequence[str] = text.split(fence)
    return tuple(Segment(stretch, markup=at % 2 == 0) for at, stretch in enumerate(stretches) if stretch)
