"""Conversations with tools, exchange by exchange: calls and results, questions back, refusals, mistakes, chat."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from antiphon.dialogue.content import Text
from antiphon.dialogue.conversation import Part, Reasoning
from antiphon.dialogue.tools import Call, Result
from training.corpus.outcomes import failure, outcome
from training.corpus.skills import Request, Skill, ask_for
from training.corpus.slots import Parameter
from training.corpus.values import joined
from training.corpus.words import Split, Words


@dataclass(frozen=True, slots=True)
class Said:
    """A turn. `taught`: the model is to learn to say it. `says`: what any answer as good as this one holds."""

    speaker: str
    parts: tuple[Part, ...]
    taught: bool = False
    says: tuple[str, ...] = ()


_PREFACES = (
    "I'll {g}.", "Let me {g}.", "I will {g} for you.", "First, I'll {g}.", "Sure, I'll {g}.",
)  # fmt: skip

_ASKING = {
    "train": ("Which {n} should I use?", "What {n} do you want?", "Could you tell me the {n}?",
              "I need the {n} to do that. What is it?", "Please tell me the {n}."),
    "held": ("Which {n} should I use?",),
}  # fmt: skip

_REFUSING = (
    "I'm sorry, but none of my tools can do that. I can {g}.",
    "I can't do that: I don't have a tool for it. What I can do is {g}.",
    "That is beyond my tools, I'm afraid. I can {g}.",
)

_GIVING = {
    "train": (
        "{v}",
        "It's {v}.",
        "{v}, please.",
        "Use {v}.",
        "Sorry, I forgot: {v}.",
        "Oh, {v}.",
        "{v}!",
        "Take {v}.",
        "Make it {v}.",
        "I'd say {v}.",
        "The answer is {v}.",
        "Hm... {v}",
        "{v}, I think.",
    ),
    "held": ("Let's say {v}.", "{v} it is.", "That would be {v}."),
}

_MORE = {
    "train": (
        "And {f}?",
        "What about {v}?",
        "And for {v}?",
        "Now the same with {v}.",
        "Same question for {v}.",
        "How about {v}?",
        "Also {v}, please.",
        "Do the same for {v}.",
        "Okay, what about {v}?",
        "Try {v} as well.",
        "Now {v}.",
        "I also need that for {v}.",
        "Hm, and if it were {v}?",
    ),
    "held": ("Do it again with {v}.", "And then {v}?", "{v} too, please."),
}

_LINKS = {
    "train": (
        " Also, {t}",
        " And {t}",
        " Then {t}",
        "\n{T}",
        " {T}",
        " Besides that, {t}",
        " After that, {t}",
        " While you're at it, {t}",
        " Oh, and {t}",
        " Once that's done, {t}",
        " Finally, {t}",
        " Next, {t}",
        " I have a second wish: {t}",
        ", and {t}",
        "\n- {T}",
    ),
    "held": (" In addition, {t}", " On top of that, {t}"),
}


@dataclass
class Dialogue:
    """A conversation in the making. `thinks`: the model thinks before it speaks to the user."""

    rng: random.Random
    words: Words
    skills: tuple[Skill, ...]
    thinks: bool = False
    prefaces: bool = False
    turns: list[Said] = field(default_factory=list[Said])

    @property
    def split(self) -> Split:
        """Where words and phrasings come from."""
        return self.words.split

    def _id(self) -> str:
        return f"toolu_{len(self.turns):04}"

    def user(self, text: str) -> None:
        """The user says this."""
        self.turns.append(Said("user", (Text(text),)))

    def answer(self, text: str, says: Sequence[str] = (), thought: str = "") -> None:
        """The model answers so."""
        self.turns.append(Said("assistant", (*self._thought(thought), Text(text)), taught=True, says=tuple(says)))

    def call(
        self, requests: Sequence[Request], thought: str = "", *, taught: bool = True, preface: bool = True
    ) -> list[Call]:
        """The model makes the calls of the requests."""
        calls = [
            Call(f"{self._id()}{at}", request.skill.tool.name, _ordered(request))
            for at, request in enumerate(requests)
        ]
        words: tuple[Part, ...] = ()
        if self.prefaces and preface:
            gists = joined([request.skill.gist for request in requests])
            words = (Text(self.rng.choice(_PREFACES).replace("{g}", gists)),)
        self.turns.append(Said("assistant", (*self._thought(thought), *words, *calls), taught=taught))
        return calls

    def results(self, calls: Sequence[Call], texts: Sequence[str], *, failed: bool = False) -> None:
        """The user sends the calls' results."""
        self.turns.append(
            Said(
                "user",
                tuple(Result(call.id, call.name, text, failed) for call, text in zip(calls, texts, strict=True)),
            )
        )

    def _thought(self, thought: str) -> tuple[Part, ...]:
        return (Reasoning(thought + "\n"),) if self.thinks and thought else ()

    # Exchanges: each begins with the user's words and ends with the model's.

    def served(self, request: Request | None = None) -> Request:
        """A request, its call, the result, an answer from it."""
        request = request or self.request()
        self.user(self._cued(request))
        self.fulfil(request)
        return request

    def fulfil(self, request: Request) -> None:
        """The call of a request that was made, the result, an answer."""
        calls = self.call([request], self.reason(request))
        came = outcome(request, self.rng, self.words)
        self.results(calls, [came.result])
        self.answer(came.answer, came.says, self._read())

    def several(self) -> None:
        """Several calls at once."""
        requests, text = self._several()
        self.user(text)
        names = joined([f"{request.skill.tool.name} for {_values(request)}" for request in requests])
        calls = self.call(requests, f"The user wants several things. I will call {names}.")
        came = [outcome(request, self.rng, self.words) for request in requests]
        self.results(calls, [one.result for one in came])
        self.answer(" ".join(dict.fromkeys(one.answer for one in came)), came[0].says, self._read())

    def again(self, before: Request) -> bool:
        """The user wants the same with one thing changed; False where that cannot be said."""
        varied = _varied(before)
        if varied is None:
            return False
        value, spoken = varied.value(self.rng, self.words)
        request = Request(
            before.skill, "", {**before.input, varied.name: value}, {**before.values, varied.name: spoken}
        )
        said = self.rng.choice(_MORE[self.split])
        self.user(said.replace("{f}", varied.said(self.rng, self.words, spoken)).replace("{v}", spoken))
        self.fulfil(request)
        return True

    def forgotten(self) -> bool:
        """The user forgets what a call needs, is asked for it and says it; False where nothing can be forgotten."""
        rng = self.rng
        candidates = [skill for skill in self.skills if _forgettable(skill)]
        if not candidates:
            return False
        skill = rng.choice(candidates)
        lacking = rng.choice(_forgettable(skill))
        request = ask_for(skill, rng, self.words, without=(lacking.name,))
        self.user(request.text)
        noun = lacking.slot.nouns[0].replace("{n}", skill.action.noun.replace("_", " "))
        asked = rng.choice(_ASKING[self.split]).replace("{n}", noun)
        needs = f"{skill.tool.name} needs {lacking.name}, and it was not given"
        thought = f"The user wants to {skill.gist}. {needs}. I have to ask."
        self.answer(asked, lacking.slot.nouns, thought)
        value, spoken = lacking.value(rng, self.words)
        self.user(rng.choice(_GIVING[self.split]).replace("{v}", spoken))
        self.fulfil(
            Request(skill, "", {**request.input, lacking.name: value}, {**request.values, lacking.name: spoken})
        )
        return True

    def refused(self, wish: Request) -> None:
        """The user asks for what no tool can do."""
        self.user(wish.text)
        gists = joined([skill.gist for skill in self.skills[:2]])
        thought = f"The user wants to {wish.skill.gist}. None of the tools does that."
        self.answer(
            self.rng.choice(_REFUSING).replace("{g}", gists), ("tool", "can't", "cannot", "unable", "sorry"), thought
        )

    def failed(self) -> None:
        """A call fails, and nothing is to be done about it."""
        request = self.request()
        self.user(self._cued(request))
        calls = self.call([request], self.reason(request))
        came = failure(request, self.rng)
        self.results(calls, [came.result], failed=True)
        self.answer(came.answer, came.says, "The call failed. I have to tell the user.")

    def corrected(self) -> bool:
        """A wrong call fails, with a word on why, and the right one follows; False where none can be wrong."""
        rng = self.rng
        request = self.request()
        names = [name for name in request.input if self._parameter(request, name).required]
        if not names:
            return False
        name = rng.choice(names)
        wrong = {key: value for key, value in request.input.items() if key != name}
        message = rng.choice(
            [
                f"Error: Missing required parameter '{name}'",
                f"Error: Missing required '{name}' parameter",
                f"ValidationError: {name}: field required",
                f"Error: {name} must not be empty",
            ]
        )
        self.user(request.text)
        calls = self.call([Request(request.skill, "", wrong, request.values)], taught=False, preface=False)
        self.results(calls, [message], failed=True)
        calls = self.call(
            [request], f"{name} was missing. I will call {request.skill.tool.name} again with {name}.", preface=False
        )
        came = outcome(request, rng, self.words)
        self.results(calls, [came.result])
        self.answer(came.answer, came.says, self._read())
        return True

    def chained(self, finder: Skill, user: Skill) -> None:
        """What one call finds, the next one needs."""
        rng = self.rng
        first = ask_for(finder, rng, self.words)
        by_id = next(parameter for parameter in user.parameters if parameter.slot.kind in ("id", "number_id"))
        value, _ = by_id.value(rng, self.words)
        second = ask_for(user, rng, self.words, without=(by_id.name,))
        whole = Request(user, "", {**second.input, by_id.name: value}, second.values)
        wish = second.text.rstrip(".!? ")
        self.user(
            rng.choice(
                [f"{first.text} Then {_lower(wish)}.", f"{first.text} I'd like to do this with it: {_lower(wish)}."]
            )
        )
        calls = self.call([first], f"First I need the ID. I will call {finder.tool.name} and then {user.tool.name}.")
        row = {"id": value, "title": _values(first)}
        self.results(calls, [rng.choice([json.dumps([row]), json.dumps({"results": [row]}), json.dumps(row)])])
        calls = self.call([whole], f"The ID is {value}. Now I will call {user.tool.name}.", preface=False)
        came = outcome(whole, rng, self.words)
        self.results(calls, [came.result])
        self.answer(came.answer, came.says, self._read())

    def request(self) -> Request:
        """A request for one of the skills."""
        return ask_for(self.rng.choice(self.skills), self.rng, self.words)

    def reason(self, request: Request) -> str:
        """Why this call."""
        rng, tool = self.rng, request.skill.tool.name
        given = ", ".join(f"{name} is {_short(value)}" for name, value in request.input.items())
        gist = request.skill.gist
        if not given:
            return rng.choice([f"The user wants to {gist}. I will call {tool}.", f"{tool} is the tool for this."])
        return rng.choice(
            [
                f"The user wants to {gist}. The tool for that is {tool}: {given}.",
                f"I need {tool} here. {given[0].upper()}{given[1:]}.",
                f"To answer this question, I will use the {tool} tool: {given}.",
            ]
        )

    def _read(self) -> str:
        return self.rng.choice(["The result is here. I can answer now.", "That is all I need to answer."])

    def _cued(self, request: Request) -> str:
        if self.rng.random() < 0.05:
            return f"{request.text} Use the {request.skill.tool.name} tool."
        return request.text

    def _parameter(self, request: Request, name: str) -> Parameter:
        return next(parameter for parameter in request.skill.parameters if parameter.name == name)

    def _several(self) -> tuple[list[Request], str]:
        rng = self.rng
        first = self.request()
        varied = _varied(first)
        if varied is not None and rng.random() < 0.5:
            spoken = first.values[varied.name]
            if first.text.count(spoken) == 1 and isinstance(first.input[varied.name], str):
                values = [first.input[varied.name]]
                for _ in range(rng.choice([1, 1, 2])):
                    more = varied.value(rng, self.words)[0]
                    if more not in values:
                        values.append(more)
                if len(values) > 1:
                    text = first.text.replace(spoken, joined(values))
                    return [
                        Request(
                            first.skill,
                            text,
                            {**first.input, varied.name: value},
                            {**first.values, varied.name: value},
                        )
                        for value in values
                    ], text
        requests = [first]
        for _ in range(rng.choice([1, 1, 1, 2])):
            more = self.request()
            if all(more.input != one.input or more.skill is not one.skill for one in requests):
                requests.append(more)
        text = requests[0].text
        for more in requests[1:]:
            text += rng.choice(_LINKS[self.split]).replace("{T}", more.text).replace("{t}", _lower(more.text))
        return requests, text


def _ordered(request: Request) -> dict[str, Any]:
    """The input in the order of the schema."""
    return {name: request.input[name] for name in request.skill.tool.schema["properties"] if name in request.input}


def _forgettable(skill: Skill) -> list[Parameter]:
    sayable = [
        parameter
        for parameter in skill.parameters
        if parameter.required and not parameter.options and parameter.slot.kind != "flag"
    ]
    return sayable if skill.action.objects else []


def _varied(request: Request) -> Parameter | None:
    """The one parameter that makes the request what it is."""
    kinds = (
        "city",
        "us_city",
        "country",
        "ticker",
        "product",
        "company",
        "food",
        "path",
        "url",
        "id",
        "book",
        "email",
        "topic",
    )
    fitting = [
        parameter
        for parameter in request.skill.parameters
        if parameter.slot.kind in kinds and parameter.name in request.values
    ]
    return fitting[0] if len(fitting) == 1 and fitting[0].required else None


def _values(request: Request) -> str:
    return ", ".join(_short(value) for value in request.input.values()) or "everything"


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) < 60 else f"{text[:57]}..."


def _lower(text: str) -> str:
    return text if text.startswith(("I ", "I'")) or text[:2].isupper() else text[0].lower() + text[1:]
