"""`[guard]`: what is declined. One table inside it for each rule; a model that judges stands at its top."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal

from antiphon.config.kinds import Choice, Text, Texts
from antiphon.config.option import Option, Table, key_of
from antiphon.config.reading import ConfigError, read_options

Side = Literal["request", "reply", "both"]
Category = Literal["cyber", "bio", "frontier_llm", "reasoning_extraction", "general_harms", "none"]

CATEGORIES: Final[tuple[Category, ...]] = (
    "cyber",
    "bio",
    "frontier_llm",
    "reasoning_extraction",
    "general_harms",
    "none",
)
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,40}")


@dataclass(frozen=True, slots=True)
class GuardRule:
    """One rule. `of`: whose words it reads. `match`: patterns of RE2, any of which declines. `category` and
    `explanation`: what a client is told of it. `models`: patterns of the names of models that it holds for."""

    name: str
    match: tuple[str, ...] = ()
    of: Side = "both"
    category: Category = "none"
    explanation: str | None = None
    models: tuple[str, ...] = ("*",)


@dataclass(frozen=True, slots=True)
class GuardSettings:
    """A served model that judges what users ask (`model`, None: none does), by the words of `policy` (None: its own
    template asks it). `category`: what a client is told. `failure`: what becomes of a request that cannot be judged.
    `models`: patterns of the names of models whose requests it judges.
    """

    model: str | None = None
    policy: str | None = None
    category: Category = "general_harms"
    failure: Literal["refuse", "allow"] = "refuse"
    models: tuple[str, ...] = ("*",)


_PATTERNS: Final = Texts(r"a list of regular expressions, such as ['(?i)\bproject lynx\b']", "PATTERN")

_MODELS: Final = Texts('a list of names or patterns of models, such as ["claude-opus-*"]', "PATTERN")

RULE_OPTIONS: Final = (
    Option("match", _PATTERNS, (), "Regular expressions (RE2); any that is found declines.", None),
    Option("of", Choice(("request", "reply", "both")), "both", "Whose words are read.", None),
    Option("category", Choice(CATEGORIES), "none", "What a client is told it was: stop_details.category.", None),
    Option("explanation", Text("a sentence", "TEXT"), None, "What a client is told of it.", None),
    Option("models", _MODELS, ("*",), "The models that it holds for, by the names that requests use.", None),
)


def _read(
    tables: Mapping[str, Mapping[str, Any]], _said: Mapping[str, Any], _env: Mapping[str, str], where: str
) -> tuple[GuardRule, ...]:
    return tuple(_rule(name, table, where) for name, table in tables.items())


def _rule(name: str, table: Mapping[str, Any], where: str) -> GuardRule:
    place = f"{where}, [guard.{name}]"
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{place}: the name of a rule has up to 40 letters, digits, - and _")
    given = read_options(table, RULE_OPTIONS, place)
    if not given.get("match"):
        raise ConfigError(f"{place}: match is missing: regular expressions, any of which declines")
    return GuardRule(name, **given)


_key = partial(key_of, "guard", GuardSettings())

GUARD: Final = Table(
    "guard",
    "What is declined, with stop_reason refusal: a table [guard.NAME] for each rule, and a model that judges. "
    "Nothing by default. See docs/guard.md.",
    GuardSettings,
    (
        _key(
            "model",
            Text("the id of a served model", "MODEL"),
            "The served model that judges what users ask, before anything is answered.",
        ),
        _key(
            "policy",
            Text("a text", "TEXT"),
            "What that model is told to judge by. It then answers safe or unsafe.",
            unset="nothing: its own chat template asks it, as those of Llama Guard and its kind do",
        ),
        _key("category", Choice(CATEGORIES), "What a client is told that the model declined."),
        _key(
            "failure",
            Choice(("refuse", "allow")),
            "A request that the model cannot judge is refused with a 529, or answered.",
        ),
        _key("models", _MODELS, "The models whose requests it judges, by the names that requests use."),
    ),
    field="guard_model",
    inner=_read,
)
