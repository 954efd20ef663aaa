"""What a thought is bound to: the conversation before it, and the thought before it.

The conversation is the system prompt, the tools that the model was told of, and every message before the assistant's
turn in which the thought stands, as far as they reach the model: cache markers, settings and thoughts are no part of
it, and neither is how a turn is cut into messages. The order of the tools does not count.

The thought before it is any that stands earlier in the request. It may be missing together with all that came before
it; a gap between two thoughts may not be there. Source: API reference, Preserved thinking.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final, cast

from antiphon.request.attribution import without_attribution
from antiphon.request.case import Case, Turn
from antiphon.request.tools.roster import is_deferred
from antiphon.wire.base import WireModel
from antiphon.wire.content.blocks import ToolReferenceBlock, ToolResultBlock

_BYTES: Final = 16

_NOTHING: Final = b"\x00" * _BYTES

_CARRIED: Final = frozenset({"input", "input_schema"})
"""Keys of objects that are the client's own: nothing inside them is a setting of the API."""


@dataclass(frozen=True, slots=True)
class Binding:
    """What comes before a thought, as digests. `conversation`: system prompt, tools, messages; None: not recorded.

    `thought`: the thought before it, zeros: there is none.
    """

    thought: bytes = _NOTHING
    conversation: tuple[bytes, bytes, bytes] | None = None

    @property
    def prefix(self) -> bytes:
        """The form that is sealed into the thought."""
        return self.thought + b"".join(self.conversation or ())

    def after(self, seal: str) -> "Binding":
        """What comes before the thought behind the one with this seal, in the same reply."""
        return replace(self, thought=digest_of_seal(seal))


def read_prefix(prefix: bytes) -> Binding | None:
    """The binding that a thought was sealed with; None where it carries no record of one."""
    parts = [prefix[at : at + _BYTES] for at in range(0, len(prefix), _BYTES)]
    match parts:
        case [thought]:
            return Binding(thought) if len(thought) == _BYTES else None
        case [thought, system, tools, messages]:
            return Binding(thought, (system, tools, messages)) if len(messages) == _BYTES else None
        case _:
            return None


def digest_of_seal(seal: str) -> bytes:
    """The thought that has this `signature` or `data`."""
    return _digest(seal.encode("utf-8", "surrogatepass"))


def conversations(case: Case, before: bytes = b"") -> Iterator[tuple[bytes, bytes, bytes]]:
    """What comes before each turn of the case, and at last before one more: system prompt, tools, messages.

    `before`: the messages that the conversation's first block summarizes, as a digest; empty: not recorded.
    """
    system = _digest(_spelled(_system(case)))
    found = frozenset[str]()
    tools = _tools(case, found)
    messages = before or _NOTHING
    for turn in case.turns:
        yield system, tools, messages
        content = list(_content(turn, summarized=bool(before)))
        # A turn that only brings the summary of what is digested already adds nothing to it.
        if content or not before:
            messages = _digest(messages + _spelled([turn.role, *content]))
        named = found | _references(turn)
        if named != found:
            found, tools = named, _tools(case, named)
    yield system, tools, messages


def _system(case: Case) -> list[str]:
    system = case.request.system or []
    texts = [system] if isinstance(system, str) else [block.text for block in system]
    # The line of a coding agent's accounting changes with every request, and does not reach the model.
    return [text for text in map(without_attribution, texts) if text]


def _tools(case: Case, found: frozenset[str]) -> bytes:
    told = [tool for tool in case.tools if not is_deferred(tool) or getattr(tool, "name", None) in found]
    return _digest(b"\n".join(sorted(_spelled(_bare(tool)) for tool in told)))


def _references(turn: Turn) -> frozenset[str]:
    inner = (item.block.content for item in turn.items if isinstance(item.block, ToolResultBlock))
    lists = (content for content in inner if isinstance(content, list))
    return frozenset(
        block.tool_name for content in lists for block in content if isinstance(block, ToolReferenceBlock)
    )


def _content(turn: Turn, *, summarized: bool) -> Iterator[object]:
    left_out = ("thinking", "redacted_thinking", *(("compaction",) if summarized else ()))
    for item in turn.items:
        if item.block.type not in left_out:
            yield _bare(item.block)


def _bare(model: WireModel) -> object:
    """The model as JSON, less what is no content, and less the keys that say what their absence says."""
    whole = model.model_dump(by_alias=True, exclude_none=True)
    if whole.get("caller") == {"type": "direct"}:
        del whole["caller"]
    if whole.get("is_error") is False:
        del whole["is_error"]
    return _unmarked(whole)


def _unmarked(value: object) -> object:
    if isinstance(value, list):
        return [_unmarked(item) for item in cast("list[object]", value)]
    if not isinstance(value, dict):
        return value
    items = cast("dict[str, Any]", value).items()
    return {k: v if k in _CARRIED else _unmarked(v) for k, v in items if k != "cache_control"}


def _spelled(value: object) -> bytes:
    # The standard library's: whole numbers of any size come back from clients.
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _digest(data: bytes) -> bytes:
    return sha256(data).digest()[:_BYTES]
