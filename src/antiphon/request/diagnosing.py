"""Why a request's prompt was not the earlier one's with more behind it: two requests compared, never the cache.

The first difference counts, in the order model, system, tools, messages. Where settings differ that a prompt depends
on in other ways, nothing is said. Source: API reference, Prompt caching, diagnosing; the official client's types.
"""

import marshal
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, Literal

from antiphon.request.asked import Asked
from antiphon.request.caching import Prefixes
from antiphon.wire.request import CreateMessage

MissReason = Literal[
    "model_changed",
    "system_changed",
    "tools_changed",
    "messages_changed",
    "previous_message_not_found",
    "unavailable",
]

_SETTINGS: Final = ("tool_choice", "thinking", "context_management", "output_config", "output_format")


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A request as far as it is compared. `messages`: one value for each block, made of all up to it."""

    model: str
    settings: bytes
    tools: bytes
    system: bytes
    messages: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Missed:
    """Why the earlier prompt cannot be gone on from. `path`: the request's first block that is another one now, None
    where that is not known; empty: the last that there was is gone."""

    reason: MissReason
    path: str | None = None


def fingerprint(asked: Asked[CreateMessage], row: Prefixes) -> Fingerprint:
    """What the request is compared by."""
    request, sections = asked.request, row.sections
    said = request.model_dump(by_alias=True, exclude_none=True, include=set(_SETTINGS))
    settings = blake2b(marshal.dumps((said, sorted(asked.context.betas)), 2), digest_size=16).digest()
    return Fingerprint(asked.target.profile.id, settings, sections.tools, sections.system, sections.messages)


def missed(before: Fingerprint | None, now: Fingerprint, row: Prefixes) -> Missed | None:
    """Why `now`, whose prefixes are the `row`, does not go on from `before`; None: it does.

    Without `before` nobody knows of it any more.
    """
    if before is None:
        return Missed("previous_message_not_found")
    paths = [position.path for position in row.positions]
    tools = next((path for path in paths if path.startswith("tools.")), "")
    if before.model != now.model:
        return Missed("model_changed", paths[0] if paths else "")
    if before.settings != now.settings:
        return Missed("unavailable")
    if before.system != now.system:
        return Missed("system_changed", next((path for path in paths if not path.startswith("tools.")), ""))
    if before.tools != now.tools:
        return Missed("tools_changed", tools or (paths[0] if paths else ""))
    same = _same(before.messages, now.messages)
    if same == len(before.messages):
        return None
    messages = paths[len(paths) - len(now.messages) :]
    return Missed("messages_changed", messages[same] if same < len(messages) else "")


def _same(before: Sequence[bytes], now: Sequence[bytes]) -> int:
    """How many of the first blocks are the same; each value stands for all before it."""
    pairs = enumerate(zip(before, now, strict=False))
    return next((at for at, (one, two) in pairs if one != two), min(len(before), len(now)))
