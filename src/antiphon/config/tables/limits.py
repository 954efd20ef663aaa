"""`[limits]`: how much callers may ask for in a minute, and at once. One table inside it for each limit."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal

from antiphon.config.kinds import Choice, Number, TextKind, Texts, Whole
from antiphon.config.option import Option, Table, key_of
from antiphon.config.reading import ConfigError, read_options

Group = Literal["model_group", "token_count", "batch", "files", "skills", "batch_requests"]
Per = Literal["organization", "workspace", "key"]

IN_PROCESS: Final = "memory"
"""The buckets lie in the server's one process."""

_GROUPS: Final[Mapping[str, Group]] = MappingProxyType(
    {
        "messages": "model_group",
        "count_tokens": "token_count",
        "batches": "batch",
        "batch_requests": "batch_requests",
        "files": "files",
        "skills": "skills",
    }
)
_URL: Final = re.compile(r"(?:redis|rediss|valkey|valkeys|unix)://[!-~]+", re.ASCII)
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,40}")


@dataclass(frozen=True, slots=True)
class LimitRule:
    """One limit. `per`: whom each bucket is for. `group`: what is asked for; `models`: patterns of the names of
    models that share it. What is 0 is not limited; `concurrency`: requests at once, in each process;
    `dollars_per_month`: what may be spent, by the prices of the settings; `enqueued_batch_requests`: requests of
    batches that wait or run."""

    name: str
    per: Per = "organization"
    group: Group = "model_group"
    models: tuple[str, ...] = ("*",)
    requests_per_minute: int = 0
    input_tokens_per_minute: int = 0
    output_tokens_per_minute: int = 0
    concurrency: int = 0
    dollars_per_month: float = 0.0
    enqueued_batch_requests: int = 0

    @property
    def paced(self) -> bool:
        """Whether it needs a place to count in, beside the database."""
        rates = (self.requests_per_minute, self.input_tokens_per_minute, self.output_tokens_per_minute)
        return any((*rates, self.concurrency))


@dataclass(frozen=True, slots=True)
class LimitStore:
    """Where the buckets of limits are (`store`): `memory`, or the URL of a Redis or Valkey server."""

    store: str = IN_PROCESS


@dataclass(frozen=True, slots=True)
class _Store(TextKind):
    """A word, or a URL that may hold a password: an error never quotes it."""

    wanted: str = f"{IN_PROCESS}, or a URL such as redis://127.0.0.1:6379/0 or valkey://cache.lan"
    metavar: str = "STORE"

    def from_toml(self, value: Any) -> str:
        if not isinstance(value, str) or not (value == IN_PROCESS or _URL.fullmatch(value)):
            raise ValueError(f"the value is not {self.wanted}")
        return value


_PATTERNS: Final = Texts('a list of names or patterns of models, such as ["claude-opus-*"]', "PATTERN")

_NUMBER: Final = Whole(1, 2**53)
LIMIT_OPTIONS: Final = (
    Option("per", Choice(("organization", "workspace", "key")), "organization", "Who shares it.", None),
    Option("of", Choice(tuple(_GROUPS)), "messages", "What is limited: messages, those in batches; or calls.", None),
    Option("models", _PATTERNS, ("*",), "Models that share it, as names or patterns.", None),
    Option("requests_per_minute", _NUMBER, 0, "Requests a minute.", None),
    Option("input_tokens_per_minute", _NUMBER, 0, "Tokens of prompts a minute; what a cache had is free.", None),
    Option("output_tokens_per_minute", _NUMBER, 0, "Tokens that models write a minute.", None),
    Option("concurrency", _NUMBER, 0, "Requests at once, in each process that answers.", None),
    Option("dollars_per_month", Number(0.01, 1e12), 0.0, "What may be spent in a month of UTC, by [prices].", None),
    Option("enqueued_batch_requests", _NUMBER, 0, "Requests of batches that wait or run.", None),
)
_TOKENS: Final = ("models", "input_tokens_per_minute", "output_tokens_per_minute")
_ONLINE: Final = ("concurrency", "dollars_per_month")


def _read(
    tables: Mapping[str, Mapping[str, Any]], _said: Mapping[str, Any], _env: Mapping[str, str], where: str
) -> tuple[LimitRule, ...]:
    return tuple(_rule(name, table, where) for name, table in tables.items())


def _rule(name: str, table: Mapping[str, Any], where: str) -> LimitRule:
    place = f"{where}, [limits.{name}]"
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{place}: the name of a limit has up to 40 letters, digits, - and _")
    given = read_options(table, LIMIT_OPTIONS, place)
    of = given.pop("of", "messages")
    if of not in ("messages", "batch_requests") and (strange := [key for key in _TOKENS if key in given]):
        raise ConfigError(f"{place}: {strange[0]} is for messages alone; of {of} only requests are limited")
    if of != "messages" and (strange := [key for key in _ONLINE if key in given]):
        raise ConfigError(f"{place}: {strange[0]} is for messages alone")
    if of != "batches" and "enqueued_batch_requests" in given:
        raise ConfigError(f'{place}: enqueued_batch_requests goes with of = "batches"')
    rule = LimitRule(name, group=_GROUPS[of], **given)
    if not (rule.paced or rule.dollars_per_month or rule.enqueued_batch_requests):
        raise ConfigError(f"{place}: nothing is limited; write requests_per_minute = 60, for one")
    return rule


LIMITS: Final = Table(
    "limits",
    "How much callers may ask for in a minute: a table [limits.NAME] for each limit, none by default. See "
    "docs/limits.md.",
    LimitStore,
    (
        key_of(
            "limits",
            LimitStore(),
            "store",
            _Store(),
            "Where is kept what was used: memory is for one process, the URL of a Redis or Valkey server for more. "
            "A URL with a password belongs in the environment.",
            flag=None,
        ),
    ),
    field="limit_store",
    inner=_read,
)
