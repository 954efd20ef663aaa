"""What a semantic rule looks at, and what it says: one request with its model's rules and its headers."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any, Final

from msgspec import Struct

from antiphon.ports.server_tools import NO_SERVER_TOOLS, ServerTools
from antiphon.profiles import Profile
from antiphon.wire.base import WireContext
from antiphon.wire.content.blocks import (
    Block,
    CompactionBlock,
    DocumentBlock,
    McpToolResultBlock,
    ResultContent,
    SearchResultBlock,
    TextBlock,
    ToolAdditionBlock,
    ToolDefinition,
    ToolResultBlock,
    WebFetchToolResultBlock,
)
from antiphon.wire.content.results import WebFetchResult
from antiphon.wire.content.sources import ContentSource
from antiphon.wire.request import CountTokens, CreateMessage, InputMessage
from antiphon.wire.settings import (
    ClearThinking,
    ClearToolUses,
    Compact,
    ContainerParams,
    EffortLevel,
    Skill,
    ThinkingAdaptive,
    ThinkingEnabled,
)
from antiphon.wire.tools.definitions import Tool, ToolChoiceAny, ToolChoiceTool
from antiphon.wire.tools.server import McpTool, McpToolset

Found = Mapping[tuple[int, int], tuple[str, ...]]
"""Message and block of a search's results → the text of each of them."""

Request = CreateMessage | CountTokens

Entry = Tool | McpTool
"""A tool that the model may be told of: one of the request's own, or of an MCP server."""


@dataclass(frozen=True, slots=True)
class Issue:
    """Why a request is refused: the message with its path, and the error's `details` where it has a code.

    `advice`: what the owner can do about it, for the log.
    """

    message: str
    details: Mapping[str, Any] | None = None
    advice: str | None = None


@dataclass(frozen=True, slots=True)
class Latitude:
    """What the server's owner lets pass that the API refuses.

    `extended_schemas`: strict schemas and output formats beyond the documented subset, wherever decoding can keep
    them. `accommodations`: what clients do that are known not to do better.
    """

    extended_schemas: bool = False
    accommodations: bool = True


USUAL: Final = Latitude()

NONE: Final = Latitude(extended_schemas=False, accommodations=False)
"""What the API itself lets pass."""


class Placed(Struct, frozen=True):
    """A block and where it stands: positions in `messages` and in that message's `content`, from 0."""

    block: Block
    message: int
    position: int

    @property
    def path(self) -> str:
        """As the API writes it in semantic errors, without the block's type."""
        return f"messages.{self.message}.content.{self.position}"


class Turn(Struct, frozen=True):
    """Consecutive messages of one role, which the API reads as one."""

    role: str
    items: tuple[Placed, ...]

    def of(self, *types: str) -> Iterator[Placed]:
        """The turn's blocks of these types."""
        return (item for item in self.items if item.block.type in types)


@dataclass(frozen=True)
class Case:
    """A request on the ladder, and what several rules ask of it. `sees`: the model that answers takes pictures;
    `reads`: if not, they are described to it; `blind`: why not, where its owner could change that. `server_tools`:
    the tools that the server runs itself. `latitude`: what its owner lets pass. `listed`: by the names of MCP servers
    their tools, once they were asked. `continues`: it ends in what a refused reply had said, and a credit lets the
    model go on from it."""

    request: Request
    profile: Profile
    context: WireContext
    sees: bool = True
    server_tools: ServerTools = NO_SERVER_TOOLS
    latitude: Latitude = USUAL
    reads: bool = False
    listed: Mapping[str, tuple[McpTool, ...]] = field(default_factory=dict[str, tuple[McpTool, ...]])
    continues: bool = False
    blind: str = ""

    @cached_property
    def contents(self) -> tuple[tuple[Placed, ...], ...]:
        """The blocks of each message, in order; a message's string is one text block."""
        return tuple(tuple(placed(n, message)) for n, message in enumerate(self.request.messages))

    @cached_property
    def items(self) -> tuple[Placed, ...]:
        """Every block of the conversation, in order."""
        return tuple(chain.from_iterable(self.contents))

    @cached_property
    def kinds(self) -> frozenset[str]:
        """The types of block that the conversation holds: most rules are about one that it does not."""
        return frozenset(item.block.type for item in self.items)

    @cached_property
    def start(self) -> tuple[int, int]:
        """Where the conversation begins, by message and block: at the last summary, or with its first block.

        A summary without content is one that did not come about: nothing stands for what was said before it.
        """
        if "compaction" in self.kinds:
            for item in reversed(self.items):
                if isinstance(item.block, CompactionBlock) and item.block.content is not None:
                    return item.message, item.position
        return 0, 0

    @cached_property
    def told(self) -> tuple[Placed, ...]:
        """The blocks that reach the model, in order: what a summary stands for does not."""
        if "compaction" not in self.kinds:
            return self.items
        behind = (item for item in self.items if (item.message, item.position) >= self.start)
        return tuple(
            item for item in behind if not isinstance(item.block, CompactionBlock) or item.block.content is not None
        )

    @cached_property
    def turns(self) -> tuple[Turn, ...]:
        """The conversation's turns; a system message that only changes settings is in none.

        A summary is what the model is told, whoever brings it: the user says it.
        """
        said = iter(self.told)
        item = next(said, None)
        found: list[tuple[str, list[Placed]]] = []
        for n, message in enumerate(self.request.messages):
            if is_directive(message) or (n < self.start[0]):
                continue
            while item is not None and item.message == n and item.block.type == "compaction":
                _turn(found, "user").append(item)
                item = next(said, None)
            if _says_summaries_only(message):
                continue
            items = _turn(found, message.role)
            while item is not None and item.message == n:
                items.append(item)
                item = next(said, None)
        return tuple(Turn(role, tuple(items)) for role, items in found)

    @cached_property
    def begins_with_the_assistant(self) -> bool:
        """Whether the assistant speaks first; a short turn of the user's is then taken to stand in front."""
        first = next((turn for turn in self.turns if turn.role != "system"), None)
        return first is not None and first.role == "assistant"

    @cached_property
    def _merged(self) -> tuple[tuple[int, int], ...]:
        """For each message the number of the turn that it is merged into, and the turn's blocks before its own."""
        found: list[tuple[int, int]] = []
        turn, blocks, role = (0 if self.begins_with_the_assistant else -1), 0, ""
        for message in self.request.messages:
            if not is_directive(message) and message.role != role:
                turn, blocks, role = turn + 1, 0, message.role
            found.append((max(turn, 0), blocks))
            blocks += len(message.content) if isinstance(message.content, list) else bool(message.content)
        return tuple(found)

    def turn_path(self, item: Placed) -> str:
        """The block's turn as errors of pairing name it: messages of one role in a row count as one there."""
        return f"messages.{self._merged[item.message][0]}"

    def turn_block_path(self, item: Placed) -> str:
        """The block as errors of pairing name it, by its place in the turn."""
        return f"{self.turn_path(item)}.content.{self._merged[item.message][1] + item.position}"

    @cached_property
    def replies(self) -> tuple[tuple[Turn, ...], ...]:
        """What the assistant says between two words of the user's: its own turns, across the results of its tools."""
        found: list[list[Turn]] = [[]]
        for turn in self.turns:
            if turn.role == "assistant":
                found[-1].append(turn)
            elif turn.role == "user" and any(item.block.type != "tool_result" for item in turn.items):
                found.append([])
        return tuple(tuple(turns) for turns in found)

    @property
    def open_reply(self) -> tuple[Turn, ...]:
        """The assistant's turns that the answer goes on with; none where the user has spoken last."""
        return self.replies[-1]

    @property
    def creation(self) -> CreateMessage | None:
        """The request if it asks for a reply, and not for a count."""
        return self.request if isinstance(self.request, CreateMessage) else None

    @property
    def skills(self) -> list[Skill]:
        """The skills that the request puts into its container."""
        container = self.creation and self.creation.container
        return (container.skills or []) if isinstance(container, ContainerParams) else []

    @property
    def tools(self) -> list[Tool]:
        """The request's tools; none and an empty list are the same."""
        return self.request.tools or []

    @cached_property
    def entries(self) -> tuple[tuple[str, Entry], ...]:
        """The tools that the conversation begins with, each with its path; those of MCP servers one by one."""
        found: list[tuple[str, Entry]] = []
        for n, tool in enumerate(self.tools):
            one = self.offered_by(tool.mcp_server_name) if isinstance(tool, McpToolset) else (tool,)
            found += [(f"tools.{n}", entry) for entry in one]
        named = {tool.mcp_server_name for tool in self.tools if isinstance(tool, McpToolset)}
        for name in self.listed:
            # The connector's first form has no toolsets.
            found += [("", entry) for entry in self.offered_by(name) if name not in named]
        return tuple(found)

    @property
    def unasked(self) -> frozenset[str]:
        """The MCP servers whose tools are not known yet."""
        return frozenset(server.name for server in self.request.mcp_servers or ()) - self.listed.keys()

    def offered_by(self, server: str) -> tuple[McpTool, ...]:
        """The tools of an MCP server that are there."""
        return tuple(tool for tool in self.listed.get(server, ()) if tool.enabled)

    @cached_property
    def mcp_tools(self) -> Mapping[tuple[str, str], McpTool]:
        """The tools of MCP servers, by the server's name and their own."""
        return {(tool.server_name, tool.own_name): tool for name in self.listed for tool in self.offered_by(name)}

    @cached_property
    def definitions(self) -> tuple[tuple[str, Tool], ...]:
        """Every tool that the request defines, in `tools` or in a system message, with its path."""
        declared = [(f"tools.{n}", tool) for n, tool in enumerate(self.tools)]
        if "tool_addition" in self.kinds:
            declared += [
                (f"{item.path}.tool_addition.tool.tool_definition.definition", item.block.tool.definition)
                for item in self.items
                if isinstance(item.block, ToolAdditionBlock) and isinstance(item.block.tool, ToolDefinition)
            ]
        return tuple(declared)

    @property
    def runs_code(self) -> bool:
        """Whether the request has code run: by the tool for it, or by a tool that code may call."""
        return any(_is_for_code(tool) for _, tool in self.definitions)

    @property
    def edits(self) -> list[ClearToolUses | ClearThinking | Compact]:
        """What the request has done to its own context, in order."""
        management = self.request.context_management
        return (management.edits if management is not None else None) or []

    @property
    def summarizes(self) -> bool:
        """Whether the reply is to be a summary of the conversation, and no answer."""
        return self.creation is not None and self.creation.compaction is not None

    @property
    def tool_names(self) -> frozenset[str]:
        """The names that the tools are called by."""
        return frozenset(name for tool in self.tools if isinstance(name := getattr(tool, "name", None), str))

    @property
    def forces_a_tool(self) -> bool:
        """Whether `tool_choice` leaves the model no way around a call."""
        return isinstance(self.request.tool_choice, ToolChoiceAny | ToolChoiceTool)

    @property
    def output_format(self) -> str | None:
        """The key that asks for an answer of a given form, None if none does."""
        if self.request.output_config is not None and self.request.output_config.format is not None:
            return "output_config.format"
        return "output_format" if self.creation is not None and self.creation.output_format is not None else None

    @property
    def asks_for_thinking(self) -> bool:
        """Whether the request itself turns thinking on before the answer."""
        return isinstance(self.request.thinking, ThinkingEnabled | ThinkingAdaptive)

    @property
    def effort(self) -> EffortLevel | None:
        """The effort in effect for the answer, None if none is named; a system message changes it on the way."""
        for message in reversed(self.request.messages):
            if message.output_config is not None and message.output_config.effort is not None:
                return message.output_config.effort
        return self.request.output_config.effort if self.request.output_config is not None else None

    @property
    def thinks(self) -> bool:
        """Whether the model is to think, by request or by the model's default."""
        if self.request.thinking is None:
            return self.profile.thinking_default != "off"
        return self.request.thinking.type != "disabled"


Rule = Callable[[Case], Issue | None]


def placed(n: int, message: InputMessage) -> Iterator[Placed]:
    """The blocks of message `n`; an empty string holds none."""
    if isinstance(message.content, str):
        if message.content:
            yield Placed(TextBlock(type="text", text=message.content), n, 0)
        return
    for position, block in enumerate(message.content):
        yield Placed(block, n, position)


def _turn(found: list[tuple[str, list[Placed]]], role: str) -> list[Placed]:
    """The last turn if this role has it, or else a new one."""
    if not found or found[-1][0] != role:
        found.append((role, []))
    return found[-1][1]


def _is_for_code(tool: Tool) -> bool:
    callers: list[str] | None = getattr(tool, "allowed_callers", None)
    if callers is None:
        # The newer web tools run from code unless the request says otherwise.
        return tool.type.startswith(("code_execution", "web_search_2026", "web_fetch_2026"))
    return tool.type.startswith("code_execution") or any(caller.startswith("code_execution") for caller in callers)


def _says_summaries_only(message: InputMessage) -> bool:
    content = message.content
    return isinstance(content, list) and bool(content) and all(block.type == "compaction" for block in content)


def is_directive(message: InputMessage) -> bool:
    """Whether this is a system message that says nothing and only changes settings."""
    return message.role == "system" and message.content == [] and message.output_config is not None


def blocks_of(path: str, block: Block | ResultContent) -> Iterator[tuple[str, Block | ResultContent]]:
    """A block and all those that it holds, in order, with their paths."""
    yield path, block
    match block:
        case ToolResultBlock(content=list(content)):
            within = f"{path}.tool_result.content"
        case McpToolResultBlock(content=list(content)):
            within = f"{path}.mcp_tool_result.content"
        case SearchResultBlock(content=content):
            within = f"{path}.search_result.content"
        case DocumentBlock(source=ContentSource(content=list(content))):
            within = f"{path}.document.source.content.content"
        case WebFetchToolResultBlock(content=WebFetchResult(content=document)):
            yield from blocks_of(f"{path}.web_fetch_tool_result.content.content", document)
            return
        case _:
            return
    for position, inner in enumerate(content):
        yield from blocks_of(f"{within}.{position}", inner)


def texts_of(item: Placed) -> Iterator[tuple[str, TextBlock]]:
    """The text blocks in a block that the client wrote, itself included, with their paths."""
    for path, block in blocks_of(item.path, item.block):
        if isinstance(block, TextBlock):
            yield path, block
