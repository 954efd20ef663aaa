"""Cache markers: how many, and in which order of lifetimes. Source: API reference, Prompt caching."""

from collections.abc import Iterator
from dataclasses import dataclass

from antiphon.request.case import Case, Issue, Placed
from antiphon.wire.base import CacheControl
from antiphon.wire.content.blocks import (
    DocumentBlock,
    SearchResultBlock,
    ToolAdditionBlock,
    ToolDefinition,
    ToolResultBlock,
)
from antiphon.wire.content.sources import ContentSource

MOST_MARKERS = 4

MOST_IN_THREADS = MOST_MARKERS - 1


@dataclass(frozen=True, slots=True)
class _Marker:
    path: str
    control: CacheControl
    block: str = ""

    @property
    def ttl(self) -> str:
        return self.control.ttl or "5m"


def markers(case: Case) -> Issue | None:
    """At most four markers, the automatic one included, and those of an hour before those of five minutes."""
    found = list(_explicit(case))
    automatic = case.request.cache_control
    if automatic is not None:
        last = last_cacheable(case)
        own = last.block if last is not None else None
        control: CacheControl | None = getattr(own, "cache_control", None)
        if last is not None and control is not None:
            marker = _Marker(last.path, control)
            if marker.ttl != (automatic.ttl or "5m"):
                return Issue(
                    f"cache_control: the last block already carries a marker with ttl='{marker.ttl}' "
                    f"({marker.path}); the top-level marker must have the same ttl or be left out"
                )
        else:
            found.append(_Marker("", automatic))
    if len(found) > MOST_MARKERS:
        return Issue(f"A maximum of {MOST_MARKERS} blocks with cache_control may be provided. Found {len(found)}.")
    short = False
    for marker in found:
        if short and marker.ttl == "1h":
            where = f"{marker.path}.cache_control.ttl" if marker.path else "cache_control.ttl"
            return Issue(
                f"{where}: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. Note "
                "that blocks are processed in the following order: `tools`, `system`, `messages`."
            )
        short = short or marker.ttl == "5m"
    return None


def marks_of(case: Case) -> Iterator[tuple[str, CacheControl]]:
    """The marks that the client set itself, in order, each with the path of the tool or block that ends there.

    One inside of a block marks that block.
    """
    return ((marker.block, marker.control) for marker in _explicit(case))


def last_cacheable(case: Case, messages: int | None = None) -> Placed | None:
    """The block that the automatic marker stands on: it walks back over those that cannot carry one. None: there is
    no such block. `messages`: how many of the conversation's messages it is looked for in."""
    return next(
        (
            item
            for item in reversed(case.items)
            if "cache_control" in type(item.block).model_fields and (messages is None or item.message < messages)
        ),
        None,
    )


def markers_in_a_thread(case: Case) -> Issue | None:
    """At most three blocks with markers beside `thread`: the fourth place is the server's. The code makes the
    official SDK send the whole conversation without a thread instead."""
    if case.creation is None or case.creation.thread is None:
        return None
    found = len(list(_explicit(case)))
    if found <= MOST_IN_THREADS:
        return None
    return Issue(
        f"thread: a maximum of {MOST_IN_THREADS} blocks with cache_control may be provided when `thread` is set -- "
        "the fourth marker slot is reserved for the marker the server places on the conversation last "
        f"cache-eligible block. Found {found}.",
        {"error_code": "thread_unsupported_request", "unsupported": ["cache_control"]},
    )


def _explicit(case: Case) -> Iterator[_Marker]:
    for n, tool in enumerate(case.tools):
        yield from _own(f"tools.{n}", tool)
    if isinstance(case.request.system, list):
        for n, text in enumerate(case.request.system):
            yield from _own(f"system.{n}", text)
    for item in case.items:
        yield from _inner(item)
        yield from _own(item.path, item.block)


def _own(path: str, block: object, within: str = "") -> Iterator[_Marker]:
    control = getattr(block, "cache_control", None)
    if isinstance(control, CacheControl):
        yield _Marker(path, control, within or path)


def _inner(item: Placed) -> Iterator[_Marker]:
    match item.block:
        case ToolAdditionBlock(tool=ToolDefinition(definition=tool)):
            yield from _own(f"{item.path}.tool_addition.tool.tool_definition.definition", tool, item.path)
            return
        case ToolResultBlock(content=list(inner)) | DocumentBlock(source=ContentSource(content=list(inner))):
            pass
        case SearchResultBlock(content=texts):
            inner = texts
        case _:
            return
    for n, block in enumerate(inner):
        yield from _own(f"{item.path}.content.{n}", block, item.path)
