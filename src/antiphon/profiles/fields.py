"""How each key of a profile is read: one reader a key, each with a text for the owner who wrote it wrong."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, cast, get_args

from antiphon.profiles.profile import (
    Effort,
    ImageTier,
    Interleaving,
    Lifecycle,
    Overflow,
    SamplingRule,
    ThinkingDefault,
    ThinkingDisplay,
    ThinkingType,
)


class ProfileError(Exception):
    """A profile or an alias is wrong. The text names the key and says what is allowed."""


Reader = Callable[[str, Any], Any]
"""Takes the key's full name (for the error) and the raw value; gives the value that a `Profile` holds."""


def _text(where: str, value: Any) -> str:
    if isinstance(value, str) and value.strip():
        return value
    raise ProfileError(f"{where} must be a text that is not empty, not {value!r}")


def _flag(where: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise ProfileError(f"{where} must be true or false, not {value!r}")


def _tokens(lowest: int) -> Reader:
    def read(where: str, value: Any) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and value >= lowest:
            return value
        raise ProfileError(f"{where} must be a whole number of tokens, {lowest} or more, not {value!r}")

    return read


def _one_of(literal: Any) -> Reader:
    choices: tuple[str, ...] = get_args(literal)

    def read(where: str, value: Any) -> str:
        if isinstance(value, str) and value in choices:
            return value
        raise ProfileError(f"{where} must be one of {_listed(choices)}, not {value!r}")

    return read


def _some_of(literal: Any, kind: type[tuple[str, ...]] | type[frozenset[str]]) -> Reader:
    choices: tuple[str, ...] = get_args(literal)

    def read(where: str, value: Any) -> tuple[str, ...] | frozenset[str]:
        items = _items(where, value)
        wrong = [item for item in items if item not in choices]
        if wrong:
            raise ProfileError(f"{where} may hold {_listed(choices)}, not {wrong[0]!r}")
        return kind(choice for choice in choices if choice in items)

    return read


def _texts(where: str, value: Any) -> tuple[str, ...]:
    return tuple(_text(f"{where}[{index}]", item) for index, item in enumerate(_items(where, value)))


def _items(where: str, value: Any) -> list[Any]:
    if isinstance(value, list | tuple | frozenset):
        return list(cast("list[Any]", value))
    raise ProfileError(f"{where} must be a list, not {value!r}")


def _moment(where: str, value: Any) -> str:
    moment: datetime | None = value if isinstance(value, datetime) else None
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = None
    if moment is None or moment.tzinfo is None:
        raise ProfileError(f'{where} must be a moment such as "2026-01-31T00:00:00Z", not {value!r}')
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _or_none(reader: Reader) -> Reader:
    # TOML has no null, and an owner who extends a profile must be able to take a value away.
    return lambda where, value: None if value is None or value == "none" else reader(where, value)


def _listed(choices: tuple[str, ...]) -> str:
    return ", ".join(f'"{choice}"' for choice in choices)


READERS: Mapping[str, Reader] = MappingProxyType(
    {
        "display_name": _text,
        "created_at": _moment,
        "aliases": _texts,
        "lifecycle": _one_of(Lifecycle),
        "line": _or_none(_text),
        "window": _tokens(1),
        "max_output": _tokens(1),
        "thinking": _some_of(ThinkingType, frozenset),
        "thinking_default": _one_of(ThinkingDefault),
        "thinking_display": _one_of(ThinkingDisplay),
        "disabled_max_effort": _or_none(_one_of(Effort)),
        "efforts": _some_of(Effort, tuple),
        "effort_default": _or_none(_one_of(Effort)),
        "sampling": _one_of(SamplingRule),
        "prefill": _flag,
        "forced_tool_choice": _flag,
        "system_role": _flag,
        "min_cache_tokens": _tokens(0),
        "overflow": _one_of(Overflow),
        "interleaving": _one_of(Interleaving),
        "keeps_thinking": _flag,
        "image_tier": _one_of(ImageTier),
        "inference_geo": _flag,
        "fast_mode": _flag,
        "task_budget": _flag,
        "compaction": _flag,
        "prefix_bound": _flag,
        "refused_tools": _texts,
        "wide": _flag,
        "batch_output": _or_none(_tokens(1)),
        "deprecated_at": _or_none(_moment),
        "retires_at": _or_none(_moment),
    }
)
