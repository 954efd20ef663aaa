"""A request as a client would send it to go on behind a part of a reply.

Source: API reference, Server tools, continuing a turn.
"""

from collections.abc import Sequence

import msgspec

from antiphon.wire.base import WireContext
from antiphon.wire.reply import ReplyBlock
from antiphon.wire.request import CreateMessage, InputMessage
from antiphon.wire.tools.definitions import ToolChoice, ToolChoiceAny, ToolChoiceAuto, ToolChoiceTool


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
