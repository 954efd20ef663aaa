"""Which tools may be called where in a conversation that adds and removes some on its way."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from antiphon.dialogue.tools import Tool, ToolChange
from antiphon.ports.server_tools import NO_SERVER_TOOLS, ServerTools
from antiphon.request.case import Case, Entry, Issue, Placed
from antiphon.request.tools.toolbox import describe, unit_of
from antiphon.wire.content.blocks import (
    CompactionBlock,
    McpToolReference,
    McpToolsetReference,
    ToolAdditionBlock,
    ToolDefinition,
    ToolNameReference,
    ToolReferenceBlock,
    ToolRemovalBlock,
    ToolResultBlock,
    ToolSearchToolResultBlock,
)
from antiphon.wire.content.results import ToolSearchResult
from antiphon.wire.gates import INLINE_TOOLS
from antiphon.wire.tools.definitions import Tool as WireTool
from antiphon.wire.tools.definitions import ToolChoiceTool
from antiphon.wire.tools.server import McpTool, McpToolset
from antiphon.wire.tools.toolsets import BrowserToolset20260801, ComputerToolset20260801
from antiphon.words import shown

_UNRESOLVED: Final = {"error_code": "tool_reference_unresolved"}

_CONFLICT: Final = {"error_code": "tool_name_conflict"}

_NOT_IN_MESSAGES: Final = ("computer_", "browser_")

Change = ToolAdditionBlock | ToolRemovalBlock


class Roster:
    """The tools at one place of a conversation: those that have a name so far, and those that the model is offered.

    Begins with `tools`; `take` goes on by one block. `carried`: the deferred tools that had been found before the
    summary which the conversation begins with. `server_tools`: those that the server runs itself. `paths`: of the
    tools, where they are not one by one in the request's `tools`. `unasked`: MCP servers whose tools nobody knows
    yet, so that nothing is said of changes to them.
    """

    def __init__(
        self,
        tools: Iterable[Entry],
        carried: Iterable[str] = (),
        *,
        server_tools: ServerTools = NO_SERVER_TOOLS,
        paths: Sequence[str] | None = None,
        unasked: frozenset[str] = frozenset(),
    ) -> None:
        self._unasked = unasked
        self._server_tools = server_tools
        self._carried = tuple(carried)
        self._entries = list(tools)
        self._paths = [f"tools.{at}" for at in range(len(self._entries))] if paths is None else paths
        self._first: dict[str, Entry] = {}
        self._known: dict[str, Entry] = {}
        self._offered: dict[str, None] = {}
        self._told: set[str] = set()
        self._found: dict[str, None] = {}
        for tool in self._entries:
            name = _name(tool)
            if name is not None:
                self._first[name] = self._known[name] = tool
            if not is_deferred(tool):
                self._offer(name for name in (name, *(described.name for described in self._described(tool))) if name)
        self._plain = bool(self._offered)
        deferred = [tool for tool in self._entries if is_deferred(tool)]
        self._units = {unit: tool for tool in deferred if (unit := unit_of(tool)) is not None}

    @property
    def offered(self) -> frozenset[str]:
        """The names that may be called."""
        return frozenset(self._offered)

    @property
    def found(self) -> tuple[str, ...]:
        """The deferred tools that results have found, by name, as far as they are offered."""
        return tuple(name for name in self._found if name in self._offered)

    def take(self, item: Placed) -> Issue | ToolChange | None:
        """What the block changes, if it does; what is wrong with it."""
        match item.block:
            case ToolAdditionBlock() | ToolRemovalBlock() as block:
                return self._change(item.path, block)
            case CompactionBlock(tool_changes=changes):
                return self._carried_on(changes or ())
            case _:
                self.find(referenced(item))
                return None

    def find(self, names: Iterable[str]) -> tuple[Tool, ...]:
        """Offer tools that were found; those of them that are new."""
        new = [name for name in names if name not in self._offered]
        self._offer(inner for name in new for inner in (name, *self.spoken((name,))))
        self._found |= dict.fromkeys(new)
        return tuple(
            described
            for name in new
            if (tool := self._known.get(name) or self._units.get(name)) is not None
            for described in self._described(tool)
        )

    def spoken(self, names: Iterable[str]) -> tuple[str, ...]:
        """The names under which the model calls what these refer to: a toolset is found as a unit."""
        spoken: list[str] = []
        for name in names:
            unit = self._units.get(name)
            spoken += [name] if unit is None else [described.name for described in self._described(unit)]
        return tuple(spoken)

    def ask_for(self, name: str) -> None:
        """Offer a deferred tool that the request itself names, unless it was taken away."""
        if name not in self._told:
            self.find([name])

    def tools(self) -> Iterator[tuple[Tool, str]]:
        """Everything that the model is told of in the conversation, with the path of its definition in `tools`, empty
        where it is not from there; what the model may not call now is withdrawn."""
        for path, tool in zip(self._paths, self._entries, strict=True):
            name, deferred = _name(tool), is_deferred(tool)
            for described in self._described(tool):
                replaced = name is not None and self._known[name] is not tool
                withdrawn = replaced or described.name not in self._offered
                if not deferred or described.name in self._told:
                    yield replace(described, deferred=deferred, withdrawn=withdrawn), path
        for name, tool in self._known.items():
            if self._first.get(name) is not tool and name in self._told:
                # Where the conversation began without a tool, its beginning says how tools are called only now.
                for described in self._described(tool):
                    yield replace(described, deferred=self._plain, withdrawn=name not in self._offered), ""

    def deferred(self) -> dict[str, tuple[Tool, ...]]:
        """The deferred tools that a search may find: the name of each, and what it offers; none that was removed."""
        gone = {name for name in self._told if name not in self._offered}
        return {
            name: self._described(tool)
            for name, tool in (*self._known.items(), *self._units.items())
            if is_deferred(tool) and name not in gone
        }

    def changes(self) -> list[dict[str, Any]]:
        """The blocks that take the request's `tools` to those that are offered here."""
        gone: list[dict[str, Any]] = []
        come: list[dict[str, Any]] = []
        for name, tool in self._known.items():
            first, offered = self._first.get(name), name in self._offered
            reference = _reference(name, tool)
            if first is tool and is_deferred(tool) and offered and name not in self._found:
                come.append({"type": "tool_addition", "tool": reference})
            elif first is not tool and offered:
                definition = tool.model_dump(by_alias=True, exclude_unset=True, exclude={"cache_control"})
                come.append({"type": "tool_addition", "tool": {"type": "tool_definition", "definition": definition}})
            elif first is not None and not is_deferred(first) and not offered:
                gone.append({"type": "tool_removal", "tool": reference})
        return [*gone, *come]

    def _change(self, path: str, block: Change) -> Issue | ToolChange | None:
        tool = block.tool
        if isinstance(tool, ToolDefinition):
            return self._define(path, tool.definition)
        if not isinstance(tool, ToolNameReference) and tool.server_name in self._unasked:
            return None
        names = self._meant(tool)
        if not names:
            said = "/".join(getattr(tool, key) for key in ("server_name", "name") if hasattr(tool, key))
            return Issue(f"{path}: Tool reference '{shown(said)}' not found in available tools", _UNRESOLVED)
        if isinstance(block, ToolRemovalBlock):
            return _together(self._withdraw(name) for name in names)
        return _together(self._add(name) for name in names if name not in self._offered)

    def _meant(self, tool: ToolNameReference | McpToolReference | McpToolsetReference) -> list[str]:
        """The names that the reference stands for."""
        if isinstance(tool, ToolNameReference):
            return [tool.name] if tool.name in self._known else []
        of_server = [
            (name, known.own_name)
            for name, known in self._known.items()
            if isinstance(known, McpTool) and known.server_name == tool.server_name
        ]
        return [name for name, own in of_server if isinstance(tool, McpToolsetReference) or own == tool.name]

    def _define(self, path: str, definition: WireTool) -> Issue | ToolChange | None:
        name = _name(definition)
        if name is None or definition.type.startswith(_NOT_IN_MESSAGES):
            return Issue(
                f"{path}: {definition.type} tools cannot be defined in a message. Declare the tool in `tools` and "
                "add it by reference."
            )
        known = self._known.get(name)
        if known is not None and _kind(known) != _kind(definition):
            return Issue(
                f"{path}: the name '{shown(name)}' is taken by a tool of type {known.type}; a definition can only "
                "replace one of the same type",
                _CONFLICT,
            )
        if known is not None and _same(known, definition) and (name in self._offered or is_deferred(definition)):
            return None
        self._known[name] = definition
        if is_deferred(definition):
            return self._withdraw(name)
        return self._add(name)

    def _add(self, name: str) -> ToolChange | None:
        self._offer([name])
        self._found.pop(name, None)
        added = self._described(self._known[name])
        return ToolChange(added) if added else None

    def _withdraw(self, name: str) -> ToolChange | None:
        if name not in self._offered:
            return None
        del self._offered[name]
        return ToolChange(removed=(name,))

    def _carried_on(self, changes: Iterable[Change]) -> ToolChange | None:
        # A later request may have other tools: what is not there any more cannot be offered.
        made = [done for change in changes if isinstance(done := self._change("", change), ToolChange)]
        return _together((*made, ToolChange(self.find(self._carried))))

    def _described(self, tool: Entry) -> tuple[Tool, ...]:
        return describe(tool, self._server_tools)

    def _offer(self, names: Iterable[str]) -> None:
        names = list(names)
        self._offered |= dict.fromkeys(names)
        self._told.update(names)


def of_case(case: Case, carried: Iterable[str] = ()) -> Roster:
    """The tools that a conversation begins with; `carried` as above."""
    paths = [path for path, _ in case.entries]
    tools = (tool for _, tool in case.entries)
    return Roster(tools, carried, server_tools=case.server_tools, paths=paths, unasked=case.unasked)


def at_the_end(case: Case, carried: Iterable[str] = ()) -> Roster:
    """The tools of a conversation whose changes nothing is wrong with, where the reply begins; `carried` as above."""
    roster = of_case(case, carried)
    for item in case.told:
        roster.take(item)
    if isinstance(case.request.tool_choice, ToolChoiceTool):
        roster.ask_for(case.request.tool_choice.name)
    return roster


def _reference(name: str, tool: Entry) -> dict[str, Any]:
    if isinstance(tool, McpTool):
        return {"type": "mcp_tool_reference", "server_name": tool.server_name, "name": tool.own_name}
    return {"type": "tool_reference", "name": name}


def _together(changes: Iterable[ToolChange | None]) -> ToolChange | None:
    made = [change for change in changes if change is not None]
    added = tuple(tool for change in made for tool in change.added)
    removed = tuple(name for change in made for name in change.removed)
    return ToolChange(added, removed) if added or removed else None


def _name(tool: Entry) -> str | None:
    name: object = getattr(tool, "name", None)
    return name if isinstance(name, str) else None


def _same(one: Entry, two: Entry) -> bool:
    return one.model_dump(exclude={"cache_control"}) == two.model_dump(exclude={"cache_control"})


def _kind(tool: Entry) -> str:
    """The type without its date: a newer version is the same tool."""
    kind, _, date = tool.type.rpartition("_")
    return kind if date.isdigit() else tool.type


REFERRING = frozenset({"tool_result", "tool_search_tool_result"})


def is_deferred(tool: Entry) -> bool:
    """Whether the model is told of the tool only when something has found it."""
    match tool:
        case McpToolset():
            default = tool.default_config is not None and tool.default_config.defer_loading is True
            return default and all(config.defer_loading is not False for config in (tool.configs or {}).values())
        case ComputerToolset20260801() | BrowserToolset20260801():
            configs = tool.configs
            members = [] if configs is None else [getattr(configs, name) for name in type(configs).model_fields]
            return any(member is not None and member.defer_loading is True for member in members)
        case _:
            return tool.defer_loading is True


_MOST_DEFERRED: Final = 10_000


def all_deferred(case: Case, tools: Sequence[Entry]) -> Issue | None:
    """Nothing is left to begin with, or more is deferred than may be."""
    # What a message defines can be there to begin with, too.
    defines = case.context.unlocks(INLINE_TOOLS)
    if tools and not defines and all(is_deferred(tool) for tool in tools):
        return Issue("At least one tool must have defer_loading=false. All tools cannot be deferred.")
    many = sum(map(is_deferred, tools))
    if many > _MOST_DEFERRED:
        return Issue(
            f"tools: {many} tools have defer_loading=true; at most {_MOST_DEFERRED} may.",
            {"error_code": "available_tools_limit_exceeded"},
        )
    return None


def referenced(item: Placed) -> list[str]:
    """The names of the tools that the block has found."""
    match item.block:
        case ToolResultBlock(content=list(content)):
            return [block.tool_name for block in content if isinstance(block, ToolReferenceBlock)]
        case ToolSearchToolResultBlock(content=ToolSearchResult(tool_references=found)):
            return [block.tool_name for block in found]
        case _:
            return []
