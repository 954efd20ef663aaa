"""What runs in the server: its tools, how long a reply may work with them, and what becomes of their results."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

import msgspec
from pydantic import TypeAdapter, ValidationError

from antiphon.config import TurnLimits
from antiphon.errors import ApiError
from antiphon.ports.server_tools import NO_SERVER_TOOLS, ServerTools
from antiphon.ports.system import Entropy
from antiphon.request.case import Case
from antiphon.request.media.wanted import wanted
from antiphon.request.rules import unbuilt
from antiphon.request.sealed.found import page_of
from antiphon.request.tools import server_kinds
from antiphon.seals import NONCE_BYTES, Seals
from antiphon.service.media.intake import MediaIntake
from antiphon.wire.base import OwnTools, WireContext
from antiphon.wire.content.blocks import Block, WebFetchToolResultBlock, WebSearchToolResultBlock
from antiphon.wire.content.results import WebSearchResult
from antiphon.wire.reply import ReplyBlock
from antiphon.wire.request import CreateMessage, InputMessage
from antiphon.wire.tools.definitions import ToolChoice, ToolChoiceAny, ToolChoiceAuto, ToolChoiceTool

_BLOCK: Final[TypeAdapter[Block]] = TypeAdapter(Block)


@dataclass(frozen=True, slots=True)
class ServerSide:
    """The tools that the server runs itself, and the limits of a reply that uses them."""

    tools: ServerTools = NO_SERVER_TOOLS
    limits: TurnLimits = field(default_factory=TurnLimits)

    @property
    def own(self) -> OwnTools:
        """Those of the tools that the API does not have."""
        tools = [tool for tool in self.tools.tools if tool.name not in server_kinds.CALLS]
        return OwnTools(
            tuple(kind for tool in tools for kind in tool.types),
            frozenset(tool.name for tool in tools),
            frozenset(tool.result_type for tool in tools),
        )


class Admission:
    """Makes of what a tool returned what a client is sent. `case`: the request's, whose model is to read it."""

    def __init__(self, case: Case, media: MediaIntake, seals: Seals, entropy: Entropy) -> None:
        self._case = case
        self._media = media
        self._seals = seals
        self._entropy = entropy

    async def __call__(self, kind: str, call_id: str, content: Any) -> Any:
        """The block's content, with the texts of search results sealed; None for what is no such content, or holds
        what the model could not be shown."""
        try:
            block = _BLOCK.validate_python(
                {"type": kind, "tool_use_id": call_id, "content": content}, context=self._case.context
            )
        except ValidationError:
            return None
        match block:
            case WebSearchToolResultBlock(content=list(results)):
                return [self._sealed(result) for result in results]
            case WebFetchToolResultBlock():
                return content if await self._is_readable(block) else None
            case _:
                return content

    def _sealed(self, result: WebSearchResult) -> dict[str, Any]:
        seal = self._seals.seal_found(result.encrypted_content, page_of(result), self._entropy.bytes(NONCE_BYTES))
        return {
            "type": result.type,
            "url": result.url,
            "title": result.title,
            "encrypted_content": seal,
            "page_age": result.page_age,
        }

    async def _is_readable(self, block: WebFetchToolResultBlock) -> bool:
        message = InputMessage.model_construct(role="assistant", content=[block])
        request = cast("CreateMessage", self._case.request).model_copy(update={"messages": [message]})
        alone = Case(request, self._case.profile, self._case.context, self._case.sees, self._case.server_tools)
        if unbuilt.blocks(alone) is not None:
            return False
        try:
            await self._media.read(wanted(alone))
        except ApiError:
            return False
        return True


def continued(
    request: CreateMessage,
    context: WireContext,
    content: Sequence[ReplyBlock],
    *,
    max_tokens: int,
    answered: bool,
) -> CreateMessage:
    """The request as a client would send it to go on behind this content of a reply.

    `answered`: the model has called what `tool_choice` asks for; it is free to answer now.
    """
    said = {"role": "assistant", "content": msgspec.to_builtins(content)}
    messages = [*request.messages, InputMessage.model_validate(said, context=context)]
    choice = _free(request.tool_choice) if answered else request.tool_choice
    return request.model_copy(update={"messages": messages, "max_tokens": max_tokens, "tool_choice": choice})


def _free(choice: ToolChoice | None) -> ToolChoice | None:
    if not isinstance(choice, ToolChoiceAny | ToolChoiceTool):
        return choice
    # What was not said stays unsaid: None is no value that a request may have here.
    return ToolChoiceAuto.model_construct(type="auto", disable_parallel_tool_use=choice.disable_parallel_tool_use)
