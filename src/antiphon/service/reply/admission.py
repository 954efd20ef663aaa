"""What becomes of a server tool's result before it is sent: in shape, sealed where it has to be, readable."""

from dataclasses import replace
from typing import Any, Final, cast

from pydantic import TypeAdapter, ValidationError

from antiphon.errors import ApiError
from antiphon.ports.system import Entropy
from antiphon.request.case import Case
from antiphon.request.media.wanted import wanted
from antiphon.request.rules import unbuilt
from antiphon.request.sealed.found import page_of, printed_by
from antiphon.request.tools.from_code import has_searched
from antiphon.seals import NONCE_BYTES, Seals
from antiphon.service.media.intake import MediaIntake
from antiphon.wire.content.blocks import Block, McpToolResultBlock, WebFetchToolResultBlock, WebSearchToolResultBlock
from antiphon.wire.content.results import WebSearchResult
from antiphon.wire.request import CreateMessage, InputMessage

_BLOCK: Final[TypeAdapter[Block]] = TypeAdapter(Block)


_UNSEEN: Final = "a picture that cannot be shown"


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
            said = content if kind == "mcp_tool_result" else {"content": content}
            block = _BLOCK.validate_python({"type": kind, "tool_use_id": call_id, **said}, context=self._case.context)
        except ValidationError:
            return None
        match block:
            case WebSearchToolResultBlock(content=list(results)):
                return [self._sealed(result) for result in results]
            case McpToolResultBlock():
                return content if await self._is_readable(block) else without_pictures(content, _UNSEEN)
            case WebFetchToolResultBlock():
                return content if await self._is_readable(block) else None
            case _:
                return content

    def has_searched(self, call_id: str) -> bool:
        """Whether the code of this call has searched the web before this reply."""
        return has_searched(self._case, call_id)

    def hidden(self, call_id: str, content: Any) -> Any:
        """The result of code that has searched, with what it printed under seal; an error as it is."""
        match content:
            case {"type": "code_execution_result", "stdout": str(printed), **rest}:
                seal = self._seals.seal_found(printed, printed_by(call_id), self._entropy.bytes(NONCE_BYTES))
                return {"type": "encrypted_code_execution_result", "encrypted_stdout": seal, **rest}
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

    async def _is_readable(self, block: WebFetchToolResultBlock | McpToolResultBlock) -> bool:
        message = InputMessage.model_construct(role="assistant", content=[block])
        request = cast("CreateMessage", self._case.request).model_copy(update={"messages": [message]})
        alone = replace(self._case, request=request)
        if unbuilt.blocks(alone) is not None:
            return False
        try:
            await self._media.read(wanted(alone))
        except ApiError:
            return False
        return True


def without_pictures(content: dict[str, Any], said: str = "a picture") -> dict[str, Any]:
    """The result of a call of a tool of an MCP server, with words for its pictures."""
    told = [
        {"type": "text", "text": f"[{said}: {block['source']['media_type']}]"} if block["type"] == "image" else block
        for block in content["content"]
    ]
    return {**content, "content": told}
