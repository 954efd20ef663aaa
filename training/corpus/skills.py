"""Tools that never existed before: an action gets a name, a description and parameters, and a user asks for it."""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from antiphon.dialogue.tools import Tool
from training.corpus.actions import Action
from training.corpus.slots import ENUMS, SLOTS, Parameter, enumeration, flag
from training.corpus.words import Split, Words

_EXTRAS: Final = (
    "Use this when the user asks for it.", "Returns JSON.", "The result is a JSON object.", "Requires an account.",
    "It does not change anything.", "Values must be exactly as the user gives them.", "Works in every country.",
    "It should be used when the user wants exactly this, and for nothing else.", "May take a few seconds.",
    "It will not provide any other information.", "Optional parameters may be left out.",
)  # fmt: skip

_ASKS: Final[Mapping[Split, tuple[str, ...]]] = {
    "train": (
        "What is {o}{f}?", "What's {o}{f}?", "Tell me {o}{f}.", "Can you tell me {o}{f}?", "Could you check {o}{f}?",
        "I'd like to know {o}{f}.", "Please get me {o}{f}.", "I need {o}{f}.", "Show me {o}{f}.", "Check {o}{f}.",
        "Do you know {o}{f}?", "Give me {o}{f}, please.", "{o}{f}?", "Hey, what is {o}{f}?", "Look up {o}{f}.",
        "Can you find out {o}{f}?", "Hi! Could you get {o}{f} for me?", "I'm curious about {o}{f}.",
        "{o}{f}, please.", "Find out {o}{f} for me.", "I want to see {o}{f}.", "Mind telling me {o}{f}?",
        "A customer asks for {o}{f}.", "Need {o}{f} right now.", "Let me have {o}{f}.",
        "First of all, what's {o}{f}?",
        "It's urgent: what is {o}{f}?", "I forgot {o}{f}. Can you look?", "Is there news on {o}{f}?",
        "We need {o}{f} for the meeting.", "Hm, {o}{f}?",
        "Sorry to bother you, but what is {o}{f}?", "Get {o}{f}", "what's {o}{f}", "I'm looking for {o}{f}.",
    ),
    "held": (
        "Would you mind checking {o}{f}?", "I was wondering about {o}{f}.", "Quick question: what is {o}{f}?",
        "Any idea what {o}{f} is?", "Please report {o}{f}.", "I have to know {o}{f}.",
    ),
}  # fmt: skip

_JOBS: Final[Mapping[Split, tuple[str, ...]]] = {
    "train": (
        "{v} {o}{f}.", "Please {v} {o}{f}.", "Can you {v} {o}{f}?", "Could you {v} {o}{f}, please?", "{v} {o}{f}",
        "I want to {v} {o}{f}.", "I need you to {v} {o}{f}.", "I'd like to {v} {o}{f}.", "Would you {v} {o}{f}?",
        "Help me {v} {o}{f}.", "Hi, please {v} {o}{f}.", "You can now {v} {o}{f}.", "We have to {v} {o}{f}.",
        "Go ahead and {v} {o}{f}.", "Let's {v} {o}{f}.", "Thanks. Now {v} {o}{f}.", "Somebody has to {v} {o}{f}.",
        "I was told to {v} {o}{f}.", "We should {v} {o}{f}.", "Make sure to {v} {o}{f}.", "Just {v} {o}{f}.",
        "Could I ask you to {v} {o}{f}?", "Is it possible to {v} {o}{f}?", "You may {v} {o}{f}.", "now {v} {o}{f}",
        "A customer wants to {v} {o}{f}.", "Don't forget to {v} {o}{f}.", "Before I forget: {v} {o}{f}.",
        "The plan is to {v} {o}{f}.", "I have to {v} {o}{f} today.", "Hey! {v} {o}{f}!", "Quickly {v} {o}{f}.",
        "Sorry, but I must {v} {o}{f}.", "I think we had better {v} {o}{f}.", "Your job is to {v} {o}{f}.",
    ),
    "held": (
        "Kindly {v} {o}{f}.", "Time to {v} {o}{f}.", "It would be great if you could {v} {o}{f}.",
        "Do me a favour and {v} {o}{f}.", "My boss wants me to {v} {o}{f}.", "Next, {v} {o}{f}.",
    ),
}  # fmt: skip

_FIELD: Final = re.compile(r"\{(=?)([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Skill:
    """A tool, and the action behind it."""

    action: Action
    tool: Tool
    parameters: tuple[Parameter, ...]

    @property
    def gist(self) -> str:
        """What it does, in a few words."""
        action = self.action
        if action.kind == "ask":
            return f"get {action.objects[0]}"
        verb = action.spoken[0].removesuffix(" me")
        return f"{verb} {action.objects[0] if action.objects else action.noun.replace('_', ' ')}"


@dataclass(frozen=True, slots=True)
class Request:
    """What a user asks of a skill: the words, and the call that they mean. `values`: what was said, by parameter."""

    skill: Skill
    text: str
    input: Mapping[str, Any]
    values: Mapping[str, str]


def make_skill(action: Action, rng: random.Random, words: Words) -> Skill:
    """A tool for the action, named and described at random."""
    noun = action.noun.replace("_", " ")
    parameters: list[Parameter] = []
    for declared in action.slots:
        optional, kind = declared.endswith("?"), declared.rstrip("?")
        options: tuple[str, ...] = ()
        if kind in ENUMS:
            slot, options = enumeration(kind, rng)
        elif kind == "flag":
            slot = flag(rng)
        else:
            slot = SLOTS[kind]
        taken = {parameter.name for parameter in parameters}
        names = [name.replace("{n}", noun.replace(" ", "_")) for name in slot.names]
        free = [name for name in names if name not in taken]
        name = rng.choice(free or [f"{names[0]}_{len(parameters)}"])
        schema = dict(slot.schema)
        if rng.random() < 0.9:
            schema["description"] = rng.choice(slot.about).replace("{n}", noun)
            if optional and rng.random() < 0.3:
                schema["description"] += " Optional."
        if rng.random() < 0.1:
            schema = {"description": schema.pop("description", name), **schema}
        if schema["type"] == "integer" and rng.random() < 0.2:
            schema["minimum"] = 0
        parameters.append(Parameter(slot, name, not optional, schema, options))
    if rng.random() < 0.3:
        rng.shuffle(parameters)
    schema = _schema(parameters, rng)
    return Skill(action, Tool(_name(action, rng, words), _description(action, rng), schema), tuple(parameters))


def ask_for(
    skill: Skill,
    rng: random.Random,
    words: Words,
    *,
    without: Sequence[str] = (),
    kept: Mapping[str, Any] | None = None,
) -> Request:
    """A user's request for the skill. `without`: required parameters that the user forgets."""
    input_: dict[str, Any] = {}
    said: dict[str, str] = {}
    for parameter in skill.parameters:
        if parameter.name in without or (not parameter.required and rng.random() < 0.45):
            continue
        value, spoken = parameter.value(rng, words)
        if kept is not None and parameter.name in kept:
            value = spoken = kept[parameter.name]
        input_[parameter.name], said[parameter.name] = value, spoken
    text = _said(skill, rng, words, said)
    return Request(skill, text, input_, said)


def _said(skill: Skill, rng: random.Random, words: Words, said: Mapping[str, str]) -> str:
    action = skill.action
    by_kind = {parameter.slot.kind: parameter for parameter in skill.parameters}
    usable = [template for template in action.also if _fits(template, by_kind, said)]
    if usable and (rng.random() < 0.6 or (action.kind == "do" and not action.objects)):
        return _filled(rng.choice(usable), by_kind, rng, words, said)
    fragments = [
        parameter.said(rng, words, said[parameter.name]) for parameter in skill.parameters if parameter.name in said
    ]
    if rng.random() < 0.3:
        rng.shuffle(fragments)
    fragments.sort(key=lambda fragment: fragment.startswith(("and ", "but ")))
    tail = "".join(f" {fragment}" for fragment in fragments)
    object_ = rng.choice(action.objects) if action.objects else action.noun.replace("_", " ")
    if action.kind == "ask":
        text = rng.choice(_ASKS[words.split]).replace("{o}", object_).replace("{f}", tail)
    else:
        text = (
            rng.choice(_JOBS[words.split])
            .replace("{v}", rng.choice(action.spoken))
            .replace("{o}", object_)
            .replace("{f}", tail)
        )
    return _tidy(text)


def _fits(template: str, by_kind: Mapping[str, Parameter], said: Mapping[str, str]) -> bool:
    """Whether the template says everything that is to be said, and needs nothing that is not."""
    fields = {kind: bool(bare) for bare, kind in _FIELD.findall(template)}
    told = {parameter.slot.kind for parameter in by_kind.values() if parameter.name in said}
    return told <= fields.keys() and all(kind in told for kind, bare in fields.items() if bare)


def _filled(
    template: str, by_kind: Mapping[str, Parameter], rng: random.Random, words: Words, said: Mapping[str, str]
) -> str:
    def fill(found: re.Match[str]) -> str:
        parameter = by_kind.get(found[2])
        if parameter is None or parameter.name not in said:
            return ""
        spoken = said[parameter.name]
        return spoken if found[1] else parameter.said(rng, words, spoken)

    return _tidy(_FIELD.sub(fill, template))


def _tidy(text: str) -> str:
    text = re.sub(r" +", " ", text).strip()
    text = re.sub(r" ([.?!,])(?=\s|$)", r"\1", text)
    text = re.sub(r"([.!?])\"\.$", r'\1"', text)
    return text[0].upper() + text[1:]


def _name(action: Action, rng: random.Random, words: Words) -> str:
    if rng.random() < 0.1:
        made = [
            "".join(words.one(rng, "syllable") for _ in range(rng.randint(2, 3))) for _ in range(rng.randint(1, 2))
        ]
        return "_".join(made)
    pieces = [*rng.choice(action.verbs).split("_"), *action.noun.replace("-", "_").lower().split("_")]
    if rng.random() < 0.08:
        pieces = pieces[1:] if len(pieces) > 1 else pieces
    if rng.random() < 0.1:
        pieces = [words.one(rng, "brand_word"), *pieces]
    if rng.random() < 0.05:
        pieces = [*pieces, rng.choice(["v2", "tool", "now", "api"])]
    style = rng.random()
    pieces = [re.sub(r"[^a-z0-9]", "", piece) for piece in pieces]
    if style < 0.7:
        name = "_".join(pieces)
    elif style < 0.82:
        name = pieces[0] + "".join(piece.capitalize() for piece in pieces[1:])
    elif style < 0.92:
        name = "-".join(pieces)
    else:
        name = "".join(piece.capitalize() for piece in pieces)
    return name[:64]


def _description(action: Action, rng: random.Random) -> str:
    about = rng.choice(action.about)
    if action.facts and action.kind == "ask" and rng.random() < 0.3:
        about += f" Returns {' and '.join(action.facts[:2])}."
    if rng.random() < 0.3:
        about += f" {rng.choice(_EXTRAS)}"
    if rng.random() < 0.12:
        about += "".join(f" {extra}" for extra in rng.sample(_EXTRAS, rng.randint(1, 4)))
    return about


def _schema(parameters: Sequence[Parameter], rng: random.Random) -> Mapping[str, Any]:
    schema: dict[str, Any] = {"type": "object"}
    if rng.random() < 0.05:
        schema["$schema"] = "http://json-schema.org/draft-07/schema#"
    schema["properties"] = {parameter.name: dict(parameter.schema) for parameter in parameters}
    required = [parameter.name for parameter in parameters if parameter.required]
    if required or rng.random() < 0.3:
        schema["required"] = required
    if rng.random() < 0.2:
        schema["additionalProperties"] = False
    return schema
