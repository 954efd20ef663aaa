"""A request on its way to its task: received under its model's rules, judged, opened. Nothing is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Final, Generic, TypeVar

from msgspec import Struct, structs

from antiphon.config import Foreign
from antiphon.dialogue.thinking import Thinker
from antiphon.ports.containers import Container
from antiphon.ports.files import StoredFile
from antiphon.ports.server_tools import NO_SERVER_TOOLS, ServerTools
from antiphon.ports.skills import SkillVersion
from antiphon.profiles import Profile
from antiphon.request.case import USUAL, Case, Issue, Latitude
from antiphon.request.ladder import check
from antiphon.request.media.wanted import NO_MEDIA, Media, Wanted, wanted
from antiphon.request.sealed.credits import Redemption, redeem
from antiphon.request.sealed.opened import NOTHING_SEALED, Opened, open_sealed
from antiphon.request.tools import server_kinds
from antiphon.seals import Seals
from antiphon.wire.base import OwnTools, WireContext
from antiphon.wire.request import CountTokens, CreateMessage

Request = TypeVar("Request", CreateMessage, CountTokens)

_NOTHING: Final[Mapping[str, StoredFile]] = MappingProxyType({})


@dataclass(frozen=True)
class Host:
    """What the server itself brings to every request: the tools that it runs, and its seals.

    `foreign`: what becomes of blocks under seals that do not open. `latitude`: what its owner lets pass.
    """

    seals: Seals
    tools: ServerTools = NO_SERVER_TOOLS
    foreign: Foreign = "refuse"
    latitude: Latitude = USUAL

    @cached_property
    def own(self) -> OwnTools:
        """Those of the tools that the API does not have."""
        tools = [tool for tool in self.tools.tools if tool.name not in server_kinds.CALLS]
        return OwnTools(
            tuple(kind for tool in tools for kind in tool.types),
            frozenset(tool.name for tool in tools),
            frozenset(tool.result_type for tool in tools),
        )


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be known of the model that answers a name. `profile`: the rules that hold for the name.

    `window`: tokens that prompt and reply may have together. `binding`: the name that thoughts are bound to: what
    this model thought, another may not read. `sees`: it takes pictures. `thinker`: how it comes to think.
    `own`: the name is the model's own id. `reads`: if it does not see, pictures are described to it. `instead`: it
    answers where the name's first choice is down; the profile has its own id, and the rules of the name. `blind`: see
    `ModelCard`.
    """

    profile: Profile
    window: int
    binding: str
    sees: bool = True
    thinker: Thinker = "universal"
    own: bool = False
    reads: bool = False
    instead: bool = False
    blind: str = ""


class Asked(Struct, Generic[Request], frozen=True):
    """A request that nothing is wrong with. `case`: the same request under its model's rules.

    `opened`: what clients carried under seal. `files`: those that are to be read; `media`: what they hold;
    `uploads`: by id, what is known of those that were uploaded. `begun`: how many of the messages came from the
    client, where the server has put more behind them; None: all. `container`: where its code runs; `skills`: those
    that are there. `credit`: what came of the token that it brought, None where it brought none.
    """

    request: Request
    case: Case
    target: Target
    opened: Opened = NOTHING_SEALED
    files: tuple[Wanted, ...] = ()
    media: Media = NO_MEDIA
    uploads: Mapping[str, StoredFile] = _NOTHING
    begun: int | None = None
    container: Container | None = None
    skills: tuple[SkillVersion, ...] = ()
    credit: Redemption | None = None

    @property
    def said(self) -> int:
        """How many of the messages came from the client."""
        return len(self.request.messages) if self.begun is None else self.begun

    @property
    def context(self) -> WireContext:
        """What the request's headers say."""
        return self.case.context

    def reading(self, media: Media) -> "Asked[Request]":
        """The same with what more of its files hold, by the paths of their blocks."""
        return structs.replace(self, media={**self.media, **media}) if media else self

    def naming(self, uploads: Mapping[str, StoredFile]) -> "Asked[Request]":
        """The same with what is known of its uploaded files."""
        return structs.replace(self, uploads=uploads) if uploads else self

    def working_in(self, container: Container | None, skills: tuple[SkillVersion, ...] = ()) -> "Asked[Request]":
        """The same with the place where its code runs, and the skills that are there."""
        return self if container is None else structs.replace(self, container=container, skills=skills)

    def instead(self, request: Request) -> "Asked[Request]":
        """The same request with other settings; its messages and all that was opened of them stay."""
        return structs.replace(self, request=request, case=replace(self.case, request=request))


def receive(
    request: Request, target: Target, context: WireContext, host: Host, now: float = 0.0
) -> Issue | Asked[Request]:
    """A request as it came from a client, judged and opened; or the first thing that is wrong with it. `now`: when it
    came, which a token's expiry is held against."""
    credit = redeem(request, target.profile, context, host.seals, now)
    if isinstance(credit, Issue):
        return credit
    case = Case(
        request,
        target.profile,
        context,
        target.sees,
        host.tools,
        host.latitude,
        target.reads,
        continues=credit is not None and credit.continues,
        blind=target.blind,
    )
    return check(case) or _opened(request, case, target, host, credit)


def receive_again(asked: Asked[Request], request: Request, host: Host) -> Issue | Asked[Request]:
    """What a reply goes on with, as if a client had sent it back: `asked` with messages that this server made.

    Nobody judges those, but seals in them are opened like any.
    """
    case = replace(asked.case, request=request)
    again = _opened(request, case, asked.target, host, asked.credit)
    # What stands for the client's messages is not behind them.
    grown = len(request.messages) > asked.said
    return structs.replace(again, begun=asked.said) if grown and isinstance(again, Asked) else again


def _opened(
    request: Request, case: Case, target: Target, host: Host, credit: Redemption | None
) -> Issue | Asked[Request]:
    opened = open_sealed(case, host.seals, target.binding, foreign=host.foreign)
    if isinstance(opened, Issue):
        return opened
    return Asked(request, case, target, opened, wanted(case), credit=credit)
