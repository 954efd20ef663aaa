"""What tools answer, and what is said of it: results as services give them, and final answers that use them."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from training.corpus.skills import Request
from training.corpus.values import identifier, joined, person, sentence
from training.corpus.words import Words

_WEATHER: Final = (
    "sunny",
    "cloudy",
    "light rain",
    "heavy rain",
    "snow",
    "foggy",
    "windy",
    "clear",
    "thunderstorms",
    "overcast",
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A result's text and the answer to it. `says`: what any good answer holds, all of it. `ids`: what it names."""

    result: str
    answer: str
    says: tuple[str, ...]


def outcome(request: Request, rng: random.Random, words: Words) -> Outcome:
    """What the request's call comes to."""
    action = request.skill.action
    thing = action.noun.replace("_", " ")
    about = _about(request, rng)
    match action.outcome:
        case "facts":
            return _facts(action.facts or ("status", "total"), thing, about, rng, words)
        case "found":
            return _found(request, thing, rng, words)
        case "number":
            number = rng.choice([rng.randint(0, 500), round(rng.uniform(0, 2000), 2)])
            key = rng.choice(["result", "value", "total", "count"])
            result = rng.choice([str(number), json.dumps({key: number}), f"{key}: {number}"])
            return Outcome(
                result,
                rng.choice([f"The result is {number}.", f"It is {number}.", f"That gives {number}."]),
                (str(number),),
            )
        case "text":
            text = sentence(rng, words) + "."
            result = rng.choice([text, json.dumps({"text": text}), json.dumps({"result": text})])
            return Outcome(
                result, rng.choice([f"Here is the result: {text}", f"This is what came back: {text}"]), (text,)
            )
        case "made":
            id_ = identifier(rng)
            key = rng.choice(["id", "reference", "confirmation", "number"])
            result = rng.choice(
                [
                    json.dumps({key: id_, "status": "ok"}),
                    f"Created. {key}: {id_}",
                    json.dumps({"success": True, key: id_}),
                ]
            )
            return Outcome(
                result,
                rng.choice([f"Done. The {key} of the {thing} is {id_}.", f"That is done. Your {key} is {id_}."]),
                (id_,),
            )
        case "sent":
            who = person(rng, words)
            result = rng.choice(
                ["sent", json.dumps({"status": "sent"}), "OK, delivered", json.dumps({"delivered": True, "by": who})]
            )
            return Outcome(result, rng.choice([f"Done. The {thing} was sent.", "It was sent."]), ("sent",))
        case "gone":
            result = rng.choice(["deleted", json.dumps({"deleted": True}), "OK"])
            return Outcome(result, rng.choice([f"Done. The {thing} was deleted.", "It was deleted."]), ("deleted",))
        case "changed":
            state = rng.choice(["ok", "updated", "saved", "done"])
            result = rng.choice([state, json.dumps({"status": state}), json.dumps({"ok": True})])
            return Outcome(
                result, rng.choice([f"Done. The {thing} was updated.", "That is done."]), ("done", "updated")
            )


def _about(request: Request, rng: random.Random) -> str:
    """The first thing that the request names, to be named again."""
    for parameter in request.skill.parameters:
        if (
            parameter.slot.kind in ("city", "us_city", "country", "ticker", "company", "product", "food", "book")
            and parameter.name in request.values
        ):
            return f" {'in' if 'city' in parameter.slot.kind else 'for'} {request.values[parameter.name]}"
    return ""


def fact(name: str, rng: random.Random, words: Words) -> Any:
    """A value for a fact of this name."""
    kind = next((kind for names, kind in _KINDS if name in names), None)
    return kind(rng, words) if kind else rng.choice(_STATES)


def _degrees(rng: random.Random, words: Words) -> Any:
    number = rng.randint(-15, 102)
    return rng.choice([number, f"{number}°C", f"{number}°F", f"{number} degrees"])


def _money(rng: random.Random, words: Words) -> Any:
    return rng.choice([round(rng.uniform(0.1, 900), 2), rng.randint(1, 5000)])


_COUNTED: Final = ("population", "pages", "calories", "stock", "score", "index", "minutes", "days", "version")

_STATES: Final = ("open", "active", "low", "high", "medium", "shipped", "none", "standard", "draft", "premium")

_KINDS: Final[tuple[tuple[tuple[str, ...], Callable[[random.Random, Words], Any]], ...]] = (
    (("temperature", "high", "low"), _degrees),
    (("conditions",), lambda rng, _: rng.choice(_WEATHER)),
    (("humidity", "progress", "change"), lambda rng, _: f"{rng.randint(1, 99)}%"),
    (
        ("time", "sunset", "opens", "closes", "high tide", "low tide"),
        lambda rng, _: f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}",
    ),
    (("time zone",), lambda rng, _: rng.choice(["CET", "UTC", "EST", "PST", "GMT", "JST"])),
    (("price", "balance", "total", "dividend", "rate", "cost"), _money),
    (("year",), lambda rng, _: rng.randint(1900, 2025)),
    (_COUNTED, lambda rng, _: rng.randint(1, 5000)),
    (("distance",), lambda rng, _: f"{rng.randint(5, 3000)} km"),
    (("duration",), lambda rng, _: f"{rng.randint(1, 20)} h {rng.randint(0, 59)} min"),
    (("capital", "location"), lambda rng, words: words.one(rng, "city")),
    (("owner", "name", "author", "director"), person),
    (
        ("created", "updated", "date", "delivery date"),
        lambda rng, _: f"2025-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}",
    ),
    (("customer ID",), lambda rng, _: identifier(rng)),
    (("headline",), sentence),
)
"""Names of facts, and what their values are like."""


def _facts(names: Sequence[str], thing: str, about: str, rng: random.Random, words: Words) -> Outcome:
    count = rng.randint(1, min(3, len(names)))
    facts = {name: fact(name, rng, words) for name in list(names)[:count]}
    keys = {name: name.replace(" ", "_") for name in facts}
    form = rng.random()
    if form < 0.5:
        result = json.dumps({keys[name]: value for name, value in facts.items()}, ensure_ascii=False)
    elif form < 0.8:
        first = rng.choice(["", "Current ", "The "])
        result = rng.choice(["\n", ", ", "; "]).join(f"{first}{name}: {value}" for name, value in facts.items())
    else:
        facts = dict(list(facts.items())[:1])
        result = str(next(iter(facts.values())))
    told = [f"the {name} is {value}" for name, value in facts.items()]
    place = about.removeprefix(" in ") if about.startswith(" in ") else ""
    text = joined(told)
    answer = f"In {place}, {text}." if place else f"{text[0].upper()}{text[1:]}{about}."
    return Outcome(result, answer, tuple(str(value) for value in facts.values()))


def _found(request: Request, thing: str, rng: random.Random, words: Words) -> Outcome:
    count = rng.randint(0, 4)
    if count == 0:
        return Outcome(
            rng.choice(["[]", '{"results": []}', "No results."]),
            rng.choice(["Nothing was found.", f"I found no {thing}."]),
            ("no",),
        )
    titles = rng.choice(
        [
            [f"{words.one(rng, 'adjective').capitalize()} {words.one(rng, 'file_word')}" for _ in range(count)],
            words.several(rng, "company", count),
            [sentence(rng, words) for _ in range(count)],
        ]
    )
    titles = list(dict.fromkeys(titles))
    if rng.random() < 0.6:
        rows = [{"id": identifier(rng), rng.choice(["title", "name"]): title} for title in titles]
        result = json.dumps(rows if rng.random() < 0.6 else {"results": rows, "total": len(rows)})
    else:
        result = "\n".join(f"{at}. {title}" for at, title in enumerate(titles, 1))
    lead = "I found one" if len(titles) == 1 else f"I found {len(titles)}"
    return Outcome(result, f"{lead}: {joined(titles)}.", (titles[0],))


FAILURES: Final = (
    "ConnectionError: the service is not available (HTTP 500)", "Timeout after 30 seconds",
    "Error: permission denied",
    "HTTP 503 Service Unavailable", "Error: rate limit exceeded", "InternalError: something went wrong",
    "Error: the service is down for maintenance", "401 Unauthorized: the access token has expired",
    "ConnectionError: the weather service API is not available (HTTP 500)", "NetworkError: connection refused",
)  # fmt: skip


def failure(request: Request, rng: random.Random) -> Outcome:
    """A failure that no other call would put right."""
    text = rng.choice(FAILURES)
    reason = text.removeprefix("Error: ")
    answer = rng.choice(
        [
            f"I'm sorry, that did not work: {reason}. Please try again later.",
            f"Unfortunately the call failed: {reason}. You could try again in a while.",
        ]
    )
    return Outcome(text, answer, ("sorry", "unfortunately", "failed", "did not work", "error", "try again"))
