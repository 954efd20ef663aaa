"""What the model is shown: conversations of every kind in their proportions, the same for the same seed."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from antiphon.dialogue.tools import Tool
from training.corpus.actions import Action, draw_noun, made
from training.corpus.chat import Kind
from training.corpus.dialogues import Dialogue, Said
from training.corpus.jobs import written
from training.corpus.outcomes import outcome
from training.corpus.skills import Request, Skill, ask_for, make_skill
from training.corpus.spoken import ANSWERED, otherwise
from training.corpus.words import Split, Words

Answers = Mapping[Kind, Sequence[tuple[str, str, bool]]]
"""Plain prompts, the base model's answers to them, and whether the answer came to its end."""

_KNOWING: Final = frozenset(
    {"capital", "population", "word", "movie", "book", "recipes", "text", "web", "expression", "news", "meals",
     "image", "page", "document", "distance", "length", "spelling", "calories", "element", "currency_name",
     "books", "equation", "essay", "holidays"}
)  # fmt: skip
"""Tools that a plain question could be for."""

_SYSTEMS: Final = (
    "You are a helpful assistant.", "You are a helpful AI assistant. Be brief.", "You work for {company}.",
    "Today is {date}.", "You help the {department} team of {company}.", "Answer in one sentence.",
    "Be polite and short.", "The user's name is {first}.",
    "You are the assistant of {company}. Use your tools where they help.", "Never guess what a tool can tell you.",
    "You are a voice assistant. Keep answers short.", "The user lives in {city}.",
)  # fmt: skip

_EXPLAINING: Final = (
    "Before you call a tool, say in one sentence what you are about to do.",
    "Always tell the user what you do before you use a tool.",
    "Explain briefly what you do before every call.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Example:
    """A conversation. `thinks`: its prompts open a thought wherever the turn begins with one."""

    category: str
    system: str
    tools: tuple[Tool, ...]
    turns: tuple[Said, ...]


class Maker:
    """Makes examples of one split. `answers`: what is said where no tool is used. `otherwise`: the share of requests
    that are said otherwise."""

    def __init__(self, split: Split, answers: Answers, *, otherwise: float = 0.16) -> None:
        self._otherwise_share = otherwise
        self._split: Split = split
        self._words = Words(split)
        self._answers = answers
        self._written = written(split)

    def examples(self, seed: int, start: int = 0) -> Iterator[Example]:
        """Examples without end, the `start`th first."""
        while True:
            yield self.example(random.Random(f"{seed}:{self._split}:{start}"))
            start += 1

    def example(self, rng: random.Random) -> Example:
        """One example."""
        kind = rng.random()
        if kind < 0.08:
            return self._chat(rng)
        if kind < 0.08 + self._otherwise_share:
            return self._otherwise(rng)
        return self._tools(rng)

    # Categories by name, for the benchmark: one exchange of the kind that is asked for.

    def single(self, rng: random.Random, category: str) -> Example | None:
        """A conversation that is all of one category; None where the draw does not fit it."""
        skills = self.skills(rng, rng.randint(1, 8) if category != "single" else rng.randint(1, 3))
        dialogue = Dialogue(rng, self._words, skills)
        if category == "otherwise":
            return self._otherwise(rng, exchanges=1)
        if category == "chat":
            skills = tuple(skill for skill in skills if skill.action.noun not in _KNOWING)
            dialogue = Dialogue(rng, self._words, skills)
        if not skills or not self._exchange(rng, category, dialogue):
            return None
        return self._example(rng, category, dialogue.skills, dialogue, plain=True)

    def _exchange(self, rng: random.Random, category: str, dialogue: Dialogue) -> bool:
        """Add an exchange of the category; whether it came about."""
        match category:
            case "single" | "choose":
                return bool(dialogue.served())
            case "again":
                return dialogue.again(dialogue.served())
            case "chained":
                return bool(self._chain(rng, dialogue))
            case "forgotten":
                return dialogue.forgotten()
            case "corrected":
                return dialogue.corrected()
            case "chat":
                return self._talk(rng, dialogue)
            case "several":
                dialogue.several()
            case "refused":
                dialogue.refused(self._foreign_wish(rng, dialogue.skills))
            case "failed":
                dialogue.failed()
            case _:
                raise ValueError(category)
        return True

    def skills(self, rng: random.Random, count: int) -> tuple[Skill, ...]:
        """Different tools; some of them are alike, so that the choice is one."""
        actions: list[Action] = []
        alike = draw_noun(rng, self._split) if rng.random() < 0.5 else None
        while len(actions) < count:
            if rng.random() < 0.45:
                action = rng.choice(self._written)
            else:
                action = made(rng, self._split, alike if alike is not None and rng.random() < 0.5 else None)
            if all((action.verbs, action.noun) != (one.verbs, one.noun) for one in actions):
                actions.append(action)
        skills: dict[str, Skill] = {}
        for action in actions:
            skill = make_skill(action, rng, self._words)
            skills.setdefault(skill.tool.name, skill)
        return tuple(skills.values())

    def _tools(self, rng: random.Random) -> Example:
        count = rng.choice([1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 8])
        skills = self.skills(rng, count)
        dialogue = Dialogue(rng, self._words, skills, thinks=rng.random() < 0.2, prefaces=rng.random() < 0.06)
        chatty = all(skill.action.noun not in _KNOWING for skill in skills)
        for _ in range(rng.choice([1, 1, 2, 2, 3, 4])):
            kind = rng.random()
            if kind < 0.28:
                request = dialogue.served()
                if rng.random() < 0.3:
                    dialogue.again(request)
            elif kind < 0.5:
                dialogue.several()
            elif kind < 0.69:
                dialogue.forgotten()
            elif kind < 0.74:
                dialogue.refused(self._foreign_wish(rng, skills))
            elif kind < 0.78:
                dialogue.failed()
            elif kind < 0.82:
                dialogue.corrected()
            elif kind < 0.88:
                if not dialogue.turns:
                    skills = self._chain(rng, dialogue)
            else:
                self._talk(rng, dialogue, small=not chatty)
        if not dialogue.turns:
            dialogue.served()
        return self._example(rng, "tools", skills, dialogue)

    def _chain(self, rng: random.Random, dialogue: Dialogue) -> tuple[Skill, ...]:
        """A finder and a user of what it finds, for one noun, among the tools."""
        noun = draw_noun(rng, self._split)
        finder = user = None
        while finder is None or user is None:
            action = made(rng, self._split, noun)
            if finder is None and "query" in action.slots:
                finder = make_skill(action, rng, self._words)
            elif user is None and action.slots and action.slots[0] in ("id", "number_id"):
                user = make_skill(action, rng, self._words)
            elif self._split == "held" and finder is None and rng.random() < 0.05:
                # The held-out verbs have no search: the tool for that is named as everywhere.
                noun = draw_noun(rng, self._split)
        others = [skill for skill in dialogue.skills if skill.tool.name not in (finder.tool.name, user.tool.name)]
        skills = [finder, user, *others[:4]]
        rng.shuffle(skills)
        dialogue.skills = tuple(skills)
        if finder.tool.name != user.tool.name:
            dialogue.chained(finder, user)
        else:
            dialogue.served()
        return dialogue.skills

    def _foreign_wish(self, rng: random.Random, skills: Sequence[Skill]) -> Request:
        """A request for something that none of these tools does and that the model cannot do by itself."""
        nouns = {skill.action.noun for skill in skills}
        stems = {noun.rstrip("s") for noun in nouns}
        while True:
            action = rng.choice(self._written) if rng.random() < 0.5 else made(rng, self._split)
            if (
                action.noun not in _KNOWING
                and action.noun.rstrip("s") not in stems
                and action.noun not in ("file", "files")
            ):
                return ask_for(make_skill(action, rng, self._words), rng, self._words)

    def _talk(self, rng: random.Random, dialogue: Dialogue, *, small: bool = False) -> bool:
        kind: Kind = "small" if small or rng.random() < 0.3 else "plain"
        if not self._answers[kind]:
            return False
        prompt, answer, ended = rng.choice(self._answers[kind])
        if not ended:
            return False
        dialogue.user(prompt)
        dialogue.answer(
            answer,
            thought=rng.choice(
                [
                    "No tool is needed for this. I can answer directly.",
                    "This is a plain question. I can answer it myself.",
                ]
            ),
        )
        return True

    def _chat(self, rng: random.Random) -> Example:
        """Talk without any tools."""
        dialogue = Dialogue(rng, self._words, (), thinks=rng.random() < 0.3)
        for _ in range(rng.choice([1, 1, 2])):
            kind: Kind = "small" if rng.random() < 0.2 else "plain"
            if not self._answers[kind]:
                continue
            prompt, answer, ended = rng.choice(self._answers[kind])
            dialogue.user(prompt)
            gist = rng.choice(
                [
                    "The user wants to talk. I can answer directly.",
                    "This is a plain question. I can answer it myself.",
                ]
            )
            dialogue.answer(answer, thought=gist)
            if not ended:
                # It is shown as far as it goes, and nothing may come behind it.
                dialogue.turns[-1] = replace(dialogue.turns[-1], says=("",))
                break
        if not dialogue.turns:
            return self._tools(rng)
        return Example("chat", "", (), tuple(dialogue.turns))

    def _otherwise(self, rng: random.Random, exchanges: int | None = None) -> Example:
        request, language = otherwise(rng, self._words)
        others = [
            skill
            for skill in self.skills(rng, rng.randint(0, 4))
            if skill.action.noun != request.skill.action.noun and skill.tool.name != request.skill.tool.name
        ]
        skills = [request.skill, *others]
        rng.shuffle(skills)
        dialogue = Dialogue(rng, self._words, tuple(skills), thinks=rng.random() < 0.15 and exchanges is None)
        dialogue.user(request.text)
        calls = dialogue.call([request], dialogue.reason(request))
        came = outcome(request, rng, self._words)
        dialogue.results(calls, [came.result])
        if language is None:
            dialogue.answer(came.answer, came.says, "The result is here. I can answer now.")
        else:
            told = came.result.strip()
            dialogue.answer(ANSWERED[language].replace("{r}", told), (told,), "The result is here. I can answer now.")
        if exchanges is None and rng.random() < 0.4:
            dialogue.served()
        return self._example(rng, "otherwise", tuple(skills), dialogue, plain=exchanges is not None)

    def _example(
        self, rng: random.Random, category: str, skills: Sequence[Skill], dialogue: Dialogue, *, plain: bool = False
    ) -> Example:
        system = ""
        if dialogue.prefaces:
            system = rng.choice(_EXPLAINING)
        elif rng.random() < (0.3 if plain else 0.45):
            system = rng.choice(_SYSTEMS).format(
                company=self._words.one(rng, "company"), department=self._words.one(rng, "department"),
                first=self._words.one(rng, "first"), city=self._words.one(rng, "city"),
                date=f"2025-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}",
            )  # fmt: skip
        tools = [skill.tool for skill in skills]
        if rng.random() < 0.06:
            tools = [_with_examples(skill, rng, self._words) for skill in skills]
        return Example(category, system, tuple(tools), tuple(dialogue.turns))


def _with_examples(skill: Skill, rng: random.Random, words: Words) -> Tool:
    examples: list[Mapping[str, Any]] = [ask_for(skill, rng, words).input for _ in range(rng.randint(1, 2))]
    return replace(skill.tool, examples=tuple(examples))
