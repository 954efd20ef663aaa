"""The prefixes of a request that a prompt cache may hold: a name for each, and the marks on them.

A request is a row of blocks: tools, then system, then messages. Each block ends a prefix, and the prefix's key is
made of every block up to there, to the byte and the order of keys; marks are no part of it. What changes the meaning
of a section is put in at its beginning, so that it spoils the section and all behind it:

    tools      the tenant, the model and the name that it answers by
    system     web search and web fetch, citations, speed
    messages   the choice of tools, pictures, thinking, effort, task budget, output format

What the model is not told is no part of a prefix: a coding agent's billing line, deferred tools, thoughts that are
left out, system messages whose turn is over. Source: API reference, Prompt caching.
"""

import marshal
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from types import MappingProxyType
from typing import Any, Final, cast

from pydantic import BaseModel

from antiphon.ports.files import StoredFile
from antiphon.request.asked import Asked
from antiphon.request.attribution import without_attribution
from antiphon.request.case import Case, Placed, blocks_of
from antiphon.request.rules.caching import last_cacheable, marks_of
from antiphon.request.told.thoughts import kept
from antiphon.request.tools.roster import is_deferred
from antiphon.request.tools.server_kinds import is_server_result
from antiphon.wire.content.blocks import DocumentBlock
from antiphon.wire.request import CountTokens, CreateMessage
from antiphon.wire.settings import ThinkingEnabled
from antiphon.wire.tools.server import McpToolset

LOOK_BACK: Final = 20
"""Blocks, the marked one included, among which a mark looks for what an earlier request has left."""

SECONDS: Final = {"5m": 300, "1h": 3600}

_SIZE: Final = 16

# The last version in which equal values have one spelling, whoever else holds on to them.
_SPELLING: Final = 2

_OUTER: Final = frozenset({"tool_result", "document", "search_result"})
"""The blocks that hold others, which may have marks."""

_SHOWING: Final = frozenset({"image", "document", "tool_result"})
"""The blocks that may hold uploaded files."""

_NO_UPLOADS: Final[Mapping[str, StoredFile]] = MappingProxyType({})

_WEB: Final = ("web_search_", "web_fetch_")


@dataclass(frozen=True, slots=True)
class Position:
    """A block, and the prefix that ends with it.

    `path`: where it stands in the request. `key`: the same for the same prefix, and for no other. `seconds`: how long
    the prefix is to be kept; None: the block has no mark.
    """

    path: str
    key: bytes
    seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Sections:
    """A request's sections, each for itself: what two requests are compared by.

    `messages`: one for each block, made of all blocks up to it.
    """

    tools: bytes
    system: bytes
    messages: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Prefixes:
    """The prefixes of one request, in its order."""

    positions: tuple[Position, ...]
    sections: Sections

    @property
    def marked(self) -> tuple[int, ...]:
        """Which of the positions have a mark."""
        return tuple(at for at, position in enumerate(self.positions) if position.seconds is not None)

    def sought(self) -> Iterator[int]:
        """The positions in the order in which the cache is asked for them: the longest prefix first."""
        seen = len(self.positions)
        for mark in reversed(self.marked):
            for at in range(min(mark, seen - 1), max(mark - LOOK_BACK, -1), -1):
                seen = at
                yield at


def has_marks(case: Case) -> bool:
    """Whether the request asks for caching at all."""
    return case.request.cache_control is not None or next(marks_of(case), None) is not None


def prefixes(asked: Asked[CreateMessage] | Asked[CountTokens], tenant: str = "") -> Prefixes:
    """The prefixes of a request of this tenant's, with its marks on them."""
    case, target = asked.case, asked.target
    marks = _marks(asked)
    base = _digest("tools", tenant, target.profile.id, target.binding)
    positions: list[Position] = []

    def add(path: str, before: bytes, chain: bytes) -> None:
        positions.append(Position(path, _digest(before, chain), marks.get(path)))

    tools, everything = b"", b""
    for n, tool in enumerate(case.tools):
        if is_deferred(tool):
            continue
        said = _spelled(tool)
        if isinstance(tool, McpToolset):
            # What is deferred is not told of here, and neither are its switches.
            there = (one for one in case.offered_by(tool.mcp_server_name) if not one.defer_loading)
            said = _digest(*map(_spelled, there))
        everything = _digest(everything, said)
        # The API tells of these two behind the tools.
        tools = tools if tool.type.startswith(_WEB) else _digest(tools, said)
        add(f"tools.{n}", base, tools)
    for path, tool in case.entries:
        if not path and not is_deferred(tool):
            tools = _digest(tools, _spelled(tool))
    behind_tools = _digest("system", base, tools, *_of_system(case))
    system = b""
    for path, text in _system(case):
        if text:
            system = _digest(system, text)
            add(path, behind_tools, system)
        elif positions and path in marks:
            # A mark on what nobody is told is one on what stands before it.
            before = positions[-1]
            positions[-1] = replace(before, seconds=max(before.seconds or 0, marks[path]))
    behind_system = _digest("messages", behind_tools, system, *_of_messages(case))
    messages: list[bytes] = []
    said = b""
    for path, spelled in _messages(asked):
        said = _digest(said, spelled)
        if path:
            messages.append(said)
            add(path, behind_system, said)
    return Prefixes(tuple(positions), Sections(everything, system, tuple(messages)))


def _marks(asked: Asked[CreateMessage] | Asked[CountTokens]) -> dict[str, int]:
    """The lifetimes of marks by the paths of their blocks, with the automatic one and those of this server's."""
    case = asked.case
    found: dict[str, int] = {}
    for path, control in marks_of(case):
        # Of several inside of one block the longest counts.
        found[path] = max(found.get(path, 0), SECONDS[control.ttl or "5m"])
    automatic = case.request.cache_control
    if automatic is not None:
        last = last_cacheable(case, asked.said)
        if last is not None:
            found.setdefault(last.path, SECONDS[automatic.ttl or "5m"])
    if found or automatic is not None:
        made = (item for item in reversed(case.items) if item.message >= asked.said)
        result = next((item for item in made if is_server_result(item.block)), None)
        if result is not None:
            found.setdefault(result.path, SECONDS["5m"])
    return found


def _system(case: Case) -> Iterator[tuple[str, str]]:
    system = case.request.system
    texts = [("system", system)] if isinstance(system, str) else []
    if isinstance(system, list):
        texts = [(f"system.{n}", block.text) for n, block in enumerate(system)]
    for path, text in texts:
        yield path, without_attribution(text)


def _messages(asked: Asked[CreateMessage] | Asked[CountTokens]) -> Iterator[tuple[str, bytes]]:
    """The blocks that the model is told, with their paths; what only changes settings has none."""
    case = asked.case
    messages = case.request.messages
    thoughts = kept(case, asked.opened.thoughts).places & set(asked.opened.thoughts.opened)
    last_user = max((n for n, message in enumerate(messages) if message.role == "user"), default=-1)
    for n in range(case.start[0], len(messages)):
        message = messages[n]
        if message.output_config is not None:
            yield "", _spelled(message.output_config)
        if message.clear_at == "next_user_message" and n < last_user:
            continue
        for item in case.contents[n]:
            place = (item.message, item.position)
            if place < case.start or (_is_thought(item) and place not in thoughts):
                continue
            yield item.path, message.role.encode() + _spelled(item.block, asked.uploads)


def _is_thought(item: Placed) -> bool:
    return item.block.type in ("thinking", "redacted_thinking")


def _of_system(case: Case) -> Iterable[Any]:
    web = [_spelled(tool) for tool in case.tools if tool.type.startswith(_WEB)]
    cited = any(
        isinstance(block, DocumentBlock) and block.citations is not None and block.citations.enabled is True
        for block in _blocks(case, "document", "tool_result", "web_fetch_tool_result")
    )
    return web, cited, case.request.speed == "fast"


def _of_messages(case: Case) -> Iterable[Any]:
    request, config, profile = case.request, case.request.output_config, case.profile
    choice = request.tool_choice
    chosen = (
        choice.type if choice is not None else "auto",
        getattr(choice, "name", None),
        getattr(choice, "disable_parallel_tool_use", None) is True,
    )
    pictures = any(block.type == "image" for block in _blocks(case, "image", "document", "tool_result"))
    thinking = request.thinking
    how = "adaptive" if thinking is None else thinking.type
    budget = thinking.budget_tokens if isinstance(thinking, ThinkingEnabled) else 0
    effort = (config.effort if config is not None else None) or profile.effort_default
    task = None if config is None or config.task_budget is None else _spelled(config.task_budget)
    form = None if config is None or config.format is None else _spelled(config.format)
    old = getattr(request, "output_format", None)
    return (
        *chosen,
        pictures,
        (how, budget) if case.thinks else "off",
        effort,
        task,
        form if old is None else _spelled(old),
    )


def _blocks(case: Case, *kinds: str) -> Iterator[Any]:
    """The blocks of these kinds that the model is told, and all that they hold."""
    if case.kinds.isdisjoint(kinds):
        return
    for item in case.told:
        if item.block.type in kinds:
            for _, block in blocks_of("", item.block):
                yield block


def _spelled(model: BaseModel, uploads: Mapping[str, StoredFile] = _NO_UPLOADS) -> bytes:
    """What a client said, to the byte, without marks; what was left out and what was said to be nothing are one.

    An uploaded file is what it holds, whatever its id."""
    said = model.model_dump(by_alias=True, exclude_none=True)
    said.pop("cache_control", None)
    kind = said.get("type")
    if kind == "tool_addition":
        said["tool"].get("definition", {}).pop("cache_control", None)
    elif kind in _OUTER:
        _unmark(said)
    if uploads and kind in _SHOWING:
        _identify(said, uploads)
    return marshal.dumps(said, _SPELLING)


def _unmark(said: dict[str, Any]) -> None:
    """Take the marks out of blocks inside of a block."""
    pending: list[Any] = [said]
    while pending:
        one = pending.pop()
        if isinstance(one, dict):
            inner = cast("dict[str, Any]", one)
            inner.pop("cache_control", None)
            pending.extend(inner.values())
        elif isinstance(one, list):
            pending.extend(cast("list[Any]", one))


def _identify(said: dict[str, Any], uploads: Mapping[str, StoredFile]) -> None:
    """Put the digests of uploaded files in place of their ids."""
    pending: list[Any] = [said]
    while pending:
        one = pending.pop()
        if isinstance(one, dict):
            inner = cast("dict[str, Any]", one)
            if inner.get("type") == "file" and inner.get("file_id") in uploads:
                inner["file_id"] = uploads[inner["file_id"]].digest
            pending.extend(inner.values())
        elif isinstance(one, list):
            pending.extend(cast("list[Any]", one))


def _digest(*parts: Any) -> bytes:
    return blake2b(marshal.dumps(parts, _SPELLING), digest_size=_SIZE).digest()
