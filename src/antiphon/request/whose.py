"""Which conversation a request goes on with, and for whom: as texts that say nothing of either.

Clients send the whole conversation each time, and name none. What they send first stays the same: the system prompt,
the tools, the user's first words. A coding agent names its session, which outlives a summary in place of these words,
and may hold several conversations at once, whose system prompts differ.
"""

from collections.abc import Iterator
from hashlib import blake2b
from typing import Final

from msgspec import Struct

from antiphon.request.asked import Asked
from antiphon.request.attribution import without_attribution
from antiphon.request.case import Case
from antiphon.wire.content.blocks import TextBlock
from antiphon.wire.request import CreateMessage

_SIZE: Final = 16


class Whose(Struct, frozen=True):
    """See `Generation.conversation` and `Generation.tenant`."""

    conversation: str = ""
    tenant: str = ""


def whose(asked: Asked[CreateMessage]) -> Whose:
    """The conversation and the tenant of a request."""
    context = asked.context
    tenant = _name(("tenant", context.tenant)) if context.tenant else ""
    session = ("session", context.session) if context.session else ("first", *_first_words(asked.case))
    return Whose(_name((tenant, asked.target.binding, *_beginning(asked.request), *session)), tenant)


def _beginning(request: CreateMessage) -> Iterator[str]:
    """System prompt and tools; of the tools their names, which tell conversations apart well enough."""
    system = request.system
    for text in [system] if isinstance(system, str) else [block.text for block in system or ()]:
        yield without_attribution(text)
    for tool in request.tools or ():
        yield str(getattr(tool, "name", tool.type))


def _first_words(case: Case) -> Iterator[str]:
    """What the user said first."""
    for message, items in zip(case.request.messages, case.contents, strict=True):
        if message.role == "user":
            for item in items:
                yield item.block.text if isinstance(item.block, TextBlock) else item.block.type
            return


def _name(texts: tuple[str, ...]) -> str:
    """A name that other texts do not have."""
    said: list[bytes] = []
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        said += (len(data).to_bytes(8), data)
    return blake2b(b"".join(said), digest_size=_SIZE).hexdigest()
