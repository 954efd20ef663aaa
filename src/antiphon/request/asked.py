"""A request on its way to its reply: read, judged, and with what its own seals and files hold."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from antiphon.dialogue.conversation import Conversation
from antiphon.ports.server_tools import NO_SERVER_TOOLS, ServerTools
from antiphon.request.case import Case, Found
from antiphon.request.media.wanted import NO_MEDIA, Media, Wanted
from antiphon.request.sealed.compactions import NOTHING, Record
from antiphon.request.sealed.found import NOTHING_FOUND
from antiphon.request.sealed.thoughts import Thoughts
from antiphon.request.told.conversation import lower
from antiphon.request.told.thoughts import kept
from antiphon.service.served import Target
from antiphon.wire.base import WireContext
from antiphon.wire.request import CountTokens, CreateMessage

Request = TypeVar("Request", CreateMessage, CountTokens)


@dataclass(frozen=True, slots=True)
class Asked(Generic[Request]):
    """A request that nothing is wrong with, the model that it goes to, and the thoughts that came back with it.

    `files`: those that are to be read; `media`: what they hold. `record`: what the summary kept that the conversation
    begins with. `found`: the texts of the search results that came back. `server_tools`: what the server runs itself.
    """

    request: Request
    context: WireContext
    target: Target
    thoughts: Thoughts
    files: tuple[Wanted, ...]
    media: Media = field(default_factory=lambda: NO_MEDIA)
    record: Record = NOTHING
    found: Found = field(default_factory=lambda: NOTHING_FOUND)
    server_tools: ServerTools = NO_SERVER_TOOLS

    @property
    def case(self) -> Case:
        """The request as the rules see it."""
        target = self.target
        return Case(self.request, target.profile, self.context, target.sees, self.server_tools)

    def conversation(self, *, clearing: bool = True) -> Conversation:
        """The conversation; with `clearing=False` as it is without the request's own edits."""
        target = self.target
        return lower(
            self.request,
            target.profile,
            self.context,
            self.thoughts,
            self.media,
            record=self.record,
            thinker=target.thinker,
            clearing=clearing,
            server_tools=self.server_tools,
            found=self.found,
        )

    @property
    def cleared(self) -> int:
        """How many turns the request's edits take thoughts from."""
        return kept(self.case, self.thoughts).cleared
