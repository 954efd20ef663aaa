"""From the wire to the neutral conversation: what is left of a request when its rules have been kept.

Consecutive messages of one role become one turn. Thinking that comes back is told where it has been read and is kept;
without thinking in the request the API ignores it. A deferred tool is there once a result has named it. A summary is
told in place of what was said before it; where one is asked for, the user asks for it last. Where the assistant
speaks first, a short turn of the user's stands in front: many chat templates take no other order. Source: API
reference, Messages; Mid-conversation system messages; Tool search; Extended thinking; Compaction.
"""

from collections.abc import Iterator, Mapping, Set
from dataclasses import replace
from typing import Any, Final, cast

from msgspec import Struct

from antiphon.dialogue.content import Document, SearchResult
from antiphon.dialogue.conversation import Conversation, Origins, Part, Reasoning, Speaker, Text, Turn
from antiphon.dialogue.thinking import OFF, Thinker, Thinking
from antiphon.dialogue.tools import Call, Choice, Result, Tool
from antiphon.ports.files import StoredFile
from antiphon.request.asked import Asked
from antiphon.request.attribution import without_attribution
from antiphon.request.case import Case, Found, Issue, Placed, Request
from antiphon.request.sealed.compactions import instruction
from antiphon.request.sealed.compactions import told as summarized
from antiphon.request.sealed.thoughts import Thoughts
from antiphon.request.told.cited_text import in_one_piece
from antiphon.request.told.citing import HOW, Shown, shown
from antiphon.request.told.code import CodeResultBlock
from antiphon.request.told.contents import told_content, told_mcp_result, told_result
from antiphon.request.told.memory import PROTOCOL, remembers
from antiphon.request.told.server_results import told_server_result
from antiphon.request.told.skills import skills_told
from antiphon.request.told.thinking import Occasion, plan
from antiphon.request.told.thoughts import Kept
from antiphon.request.tools.from_code import called_from_code, served_from_code, told_tools
from antiphon.request.tools.roster import Roster, of_case
from antiphon.request.tools.server_calls import awaited, spoken_by
from antiphon.request.tools.toolbox import spoken_name
from antiphon.wire.content.blocks import (
    BashCodeExecutionToolResultBlock,
    CodeExecutionToolResultBlock,
    CompactionBlock,
    ContainerUploadBlock,
    DocumentBlock,
    FallbackBlock,
    ImageBlock,
    McpToolListingBlock,
    McpToolResultBlock,
    McpToolUseBlock,
    OwnResultBlock,
    RedactedThinkingBlock,
    SearchResultBlock,
    ServerToolUseBlock,
    TextBlock,
    TextEditorCodeExecutionToolResultBlock,
    ThinkingBlock,
    ToolAdditionBlock,
    ToolRemovalBlock,
    ToolResultBlock,
    ToolSearchToolResultBlock,
    ToolUseBlock,
    WebFetchToolResultBlock,
    WebSearchToolResultBlock,
)
from antiphon.wire.gates import INTERLEAVED
from antiphon.wire.request import CountTokens, CreateMessage
from antiphon.wire.tools.definitions import ToolChoiceNone, ToolChoiceTool

OPENING: Final = "Begin."
"""What the user says where the request begins with the assistant; with its markup about seven tokens."""

_NOT_THE_MODELS = (
    CompactionBlock
    | WebSearchToolResultBlock
    | WebFetchToolResultBlock
    | ToolSearchToolResultBlock
    | CodeResultBlock
    | McpToolResultBlock
    | OwnResultBlock
)


def lower(asked: Asked[CreateMessage] | Asked[CountTokens], kept: Kept) -> Conversation:
    """The conversation of a request that nothing is wrong with. `kept`: the thoughts in it that are told."""
    case, opened = asked.case, asked.opened
    request = case.request
    turns: list[_Turn] = []
    # An answer of a given form has no room for citations.
    held = _Told(
        _texts(opened.thoughts, kept),
        shown(case, asked.media),
        opened.found,
        cited=_shape(request) is None,
        uploads=asked.uploads,
        from_code=called_from_code(case).keys() | served_from_code(case),
    )
    roster = of_case(case, opened.record.found)
    for speaker, part, origin in _spoken(case, held, roster):
        _place(turns, speaker, (part, origin))
    if not turns or turns[0][0] == "assistant":
        turns.insert(0, ("user", [(Text(OPENING), "")]))
    prefill: list[tuple[str, str]] | None = None
    if turns and turns[-1][0] == "assistant":
        prefill = [(part.text, origin) for part, origin in turns.pop()[1] if isinstance(part, Text)]
    # In front: who marks the system prompt marks the list of skills with it.
    system = [(Text(skills_told(asked.skills)), "")] if asked.skills else []
    system += _system(request.system)
    if remembers(case):
        system.append((Text(PROTOCOL), ""))
    if any(_is_numbered(part) for _, parts in turns for part, _ in parts):
        system.append((Text(HOW), ""))
    told = told_tools(case, _tools(request, roster))
    tools = tuple(tool for tool, _ in told)
    return Conversation(
        tuple(text for text, _ in system),
        tuple(Turn(speaker, tuple(part for part, _ in parts)) for speaker, parts in turns),
        None if prefill is None else "".join(text for text, _ in prefill),
        tools,
        _choice(case, tools) if tools else Choice(),
        _shape(request),
        OFF if prefill is not None else _thinking(case, opened.thoughts, asked.target.thinker),
        Origins(
            tuple(origin for _, origin in told),
            tuple(origin for _, origin in system),
            tuple(tuple(origin for _, origin in parts) for _, parts in turns),
            tuple((origin, len(text)) for text, origin in prefill or ()),
        ),
    )


def _is_numbered(part: Part) -> bool:
    inner = part.parts if isinstance(part, Result) else (part,)
    return any(isinstance(one, Document | SearchResult) and one.numbered for one in inner)


_Turn = tuple[Speaker, list[tuple[Part, str]]]
"""Who speaks, and what is said, each part with the path of its block."""


def _place(turns: list[_Turn], speaker: Speaker, said: tuple[Part, str]) -> None:
    """Put a part where it is told: behind what was said before, in the turn of who says it."""
    at = len(turns)
    if isinstance(said[0], Result):
        # What the server found may come behind a system message. It stands next to its call all the same.
        while at and turns[at - 1][0] == "system":
            at -= 1
    if not at or turns[at - 1][0] != speaker:
        turns.insert(at, (speaker, []))
        at += 1
    turns[at - 1][1].append(said)


def _system(system: str | list[TextBlock] | None) -> Iterator[tuple[Text, str]]:
    texts = [("system", system)] if isinstance(system, str) else []
    if isinstance(system, list):
        texts = [(f"system.{n}", block.text) for n, block in enumerate(system)]
    for origin, text in texts:
        told = without_attribution(text)
        if told:
            yield Text(told), origin


def _tools(request: Request, roster: Roster) -> Iterator[tuple[Tool, str]]:
    if isinstance(request.tool_choice, ToolChoiceTool):
        roster.ask_for(request.tool_choice.name)
    return roster.tools()


def _choice(case: Case, tools: tuple[Tool, ...]) -> Choice:
    choice = case.request.tool_choice
    if isinstance(choice, ToolChoiceNone) or case.summarizes or all(tool.withdrawn for tool in tools):
        return Choice("none")
    if choice is None:
        return Choice()
    name = choice.name if isinstance(choice, ToolChoiceTool) else None
    if name is not None and all(tool.name != name for tool in tools):
        name = _spoken_choice(case, name)
    return Choice(choice.type, name, parallel=choice.disable_parallel_tool_use is not True)


def _spoken_choice(case: Case, name: str) -> str:
    """What the model calls where the request names a tool that stands for several: the first of them."""
    for _, definition in case.definitions:
        if getattr(definition, "name", None) == name:
            for tool in case.server_tools.answering(definition.type):
                return tool.name
    return name


def _shape(request: Request) -> Mapping[str, Any] | None:
    config = request.output_config
    if config is not None and config.format is not None:
        return config.format.schema_
    if isinstance(request, CreateMessage) and request.output_format is not None:
        return request.output_format.schema_
    return None


def _texts(thoughts: Thoughts, kept: Kept) -> dict[tuple[int, int], str]:
    return {place: sealed.text for place, sealed in thoughts.opened.items() if place in kept.places}


def _thinking(case: Case, thoughts: Thoughts, thinker: Thinker) -> Thinking:
    if not case.thinks or case.summarizes:
        return OFF
    occasion = Occasion(
        max_tokens=case.creation.max_tokens if case.creation is not None else None,
        tools=bool(case.tools),
        forced=case.forces_a_tool,
        continues=bool(case.open_reply),
        spent=thoughts.spent,
        header=INTERLEAVED in case.context.betas,
    )
    return plan(case.request.thinking, case.profile, occasion, effort=case.effort, thinker=thinker)


class _Told(Struct, frozen=True):
    """What the request's own seals and files hold: thoughts and search results by place, what is shown by path.

    `cited`: the answer may cite what server tools found. `uploads`: files that were uploaded, by their ids.
    `from_code`: the calls that code has made, which the model does not hear of.
    """

    thoughts: Mapping[tuple[int, int], str]
    shown: Shown
    found: Found
    cited: bool
    uploads: Mapping[str, StoredFile]
    from_code: Set[str]


def _spoken(case: Case, told: _Told, roster: Roster) -> Iterator[tuple[Speaker, Part, str]]:
    messages = case.request.messages
    last_user = max((n for n, message in enumerate(messages) if message.role == "user"), default=-1)
    names: dict[str, str] = {}
    for n, message in enumerate(messages):
        # A turn-scoped system message holds until the user speaks again.
        if n < case.start[0] or (message.clear_at == "next_user_message" and n < last_user):
            continue
        for item, last in in_one_piece(case.contents[n]):
            if (item.message, item.position) < case.start:
                continue
            # Whoever brings a summary, to the model it is what the user says. What a tool answered is told in a
            # turn of its own, whoever runs the tool.
            speaker = "user" if isinstance(item.block, _NOT_THE_MODELS) else message.role
            for part in _parts(case, item, names, told, roster):
                yield cast("Speaker", speaker), part, last.path
    for result in awaited(case):
        yield "user", result, ""
    if case.creation is not None and case.creation.compaction is not None:
        yield "user", Text(instruction(case.creation.compaction)), ""


def _parts(
    case: Case,
    item: Placed,
    names: dict[str, str],
    told: _Told,
    roster: Roster,
) -> Iterator[Part]:
    """What the block is to the model; `names`: those of the calls so far, by their ids; `roster`: tools so far."""
    match item.block:
        case TextBlock() | ImageBlock() | DocumentBlock() | SearchResultBlock() as block:
            yield told_content(item.path, block, told.shown)
        case (
            ToolUseBlock(id=id_)
            | ServerToolUseBlock(id=id_)
            | ToolResultBlock(tool_use_id=id_)
            | WebSearchToolResultBlock(tool_use_id=id_)
            | WebFetchToolResultBlock(tool_use_id=id_)
        ) if id_ in told.from_code:
            return
        case ToolUseBlock() as block:
            names[block.id] = spoken_name(block.name, block.toolset_name)
            yield Call(block.id, names[block.id], block.input)
        case ToolResultBlock() as block:
            roster.take(item)
            answer = told_result(item.path, block, names[block.tool_use_id], told.shown)
            yield replace(answer, found=roster.spoken(answer.found)) if answer.found else answer
        case ThinkingBlock() | RedactedThinkingBlock():
            if (item.message, item.position) in told.thoughts:
                yield Reasoning(told.thoughts[item.message, item.position])
        case ServerToolUseBlock() | McpToolUseBlock() as block:
            names[block.id] = spoken_by(case, block)
            yield Call(block.id, names[block.id], block.input)
        case ToolSearchToolResultBlock() as block:
            roster.take(item)
            answer = told_server_result(item, block, names[block.tool_use_id], told.found, told.shown, cited=False)
            yield replace(answer, found=roster.spoken(answer.found))
        case CompactionBlock(content=content):
            if content is not None:
                yield Text(summarized(content))
                yield from _changed(item, roster)
        case ToolAdditionBlock() | ToolRemovalBlock():
            yield from _changed(item, roster)
        case _:
            yield from _ran(item, names, told)


def _ran(item: Placed, names: Mapping[str, str], told: _Told) -> Iterator[Part]:
    """What the server's own tools have come to, and what was put into the place where they work."""
    match item.block:
        case ContainerUploadBlock(file_id=id_):
            if id_ in told.uploads:
                yield Text(f"The user has put the file {told.uploads[id_].filename} into the container.")
        case McpToolListingBlock() | FallbackBlock():
            return
        case McpToolResultBlock() as block:
            yield told_mcp_result(item.path, block, names[block.tool_use_id], told.shown)
        case (
            WebSearchToolResultBlock()
            | WebFetchToolResultBlock()
            | BashCodeExecutionToolResultBlock()
            | TextEditorCodeExecutionToolResultBlock()
            | CodeExecutionToolResultBlock()
            | OwnResultBlock()
        ) as block:
            yield told_server_result(item, block, names[block.tool_use_id], told.found, told.shown, cited=told.cited)
        case block:
            raise AssertionError(f"a {block.type} block passed the ladder, and nothing here can render it")


def _changed(item: Placed, roster: Roster) -> Iterator[Part]:
    change = roster.take(item)
    if isinstance(change, Issue):
        raise AssertionError(f"a change of tools passed the ladder that cannot be made: {change.message}")
    if change is not None:
        yield change
