"""Which models are asked in which order, and the next of them asked."""

from dataclasses import dataclass
from typing import Final

from antiphon.config import FallbackSettings
from antiphon.errors import ApiError, InvalidRequest
from antiphon.ports.system import Clock
from antiphon.profiles import Profile
from antiphon.request.asked import Asked
from antiphon.request.fallbacks import for_model
from antiphon.service.aside import aside_by
from antiphon.service.fallbacks.attempts import Attempt, Attempts
from antiphon.service.fallbacks.sticky import Sticky, keys_of
from antiphon.service.intake import LARGE_BODY, Intake
from antiphon.service.metrics import Watch
from antiphon.service.served import Allowed, ModelRoutes, fits, may_ask
from antiphon.wire.request import CreateMessage, InputMessage
from antiphon.wire.settings import Fallback
from antiphon.words import shown

_MOST: Final = 3


@dataclass(frozen=True, slots=True)
class Link:
    """One of the models that may be asked. `request`: as it is asked; `model`: its own name."""

    request: CreateMessage
    model: str


@dataclass(slots=True)
class Chain:
    """The models that a request may still be answered by, in order. `asked`: what the model that it names is asked.
    `size`: bytes of the request. `keys`: its conversation as `Sticky` knows it."""

    asked: Asked[CreateMessage]
    links: tuple[Link, ...]
    size: int
    keys: list[bytes]

    @property
    def model(self) -> str:
        """The model that is asked first."""
        return self.asked.target.profile.id

    def take(self) -> Link:
        """The next of them, which is none any more."""
        link, *rest = self.links
        self.links = tuple(rest)
        return link


class Fallbacks:
    """Asks other models where one has declined. Raises `ApiError` only."""

    def __init__(
        self, routes: ModelRoutes, intake: Intake, attempts: Attempts, settings: FallbackSettings, clock: Clock
    ) -> None:
        self._routes = routes
        self._intake = intake
        self._attempts = attempts
        self._settings = settings
        self._sticky = Sticky(clock)

    def targets(self, profile: Profile, allowed: Allowed) -> list[str]:
        """The names of the list that requests for a model may have as fallbacks, from somebody who is `allowed`."""
        return [
            other.id
            for other in self._routes.catalogue.all()
            if other.id != profile.id
            and fits(self._settings.allowed, (other.id,))
            and may_ask(allowed, other.id, other)
        ]

    async def chain(self, asked: Asked[CreateMessage], size: int) -> Chain | None:
        """The chain of a request of so many bytes; None where it has none. What is wrong with it is the error."""
        request = asked.request
        if request.fallbacks is None:
            return None
        links = await (
            self._default(asked, size)
            if request.fallbacks == "default"
            else self._named(asked, request.fallbacks, size)
        )
        if not links:
            return None
        tenant, model = asked.context.tenant, asked.target.profile.id
        keys = await aside_by(size, lambda: keys_of(tenant, model, request), large=LARGE_BODY)
        return Chain(asked, tuple(links), size, keys)

    async def first(self, chain: Chain, watch: Watch | None) -> Attempt | None:
        """Another model at once, since it has answered the conversation before; None: that is not so, or it cannot be
        asked now.

        Streams begin with the model that they name. Source: Refusals and fallback page.
        """
        served = None if chain.asked.request.stream else self._sticky.find(chain.keys)
        links = chain.links
        models = [link.model for link in links]
        if served not in models:
            return None
        chain.links = links[models.index(served) :]
        try:
            return await self.attempt(chain, chain.take(), "", watch)
        except ApiError:
            chain.links = links
            return None

    async def attempt(self, chain: Chain, link: Link, said: str, watch: Watch | None) -> Attempt:
        """The next model, let through and judged. `said`: what it goes on from."""
        asked, served = await self._intake.read_for(chain.asked, link.request, chain.size)
        if said:
            block = {"type": "text", "text": said}
            message = InputMessage.model_validate({"role": "assistant", "content": [block]})
            behind = asked.request.model_copy(update={"messages": [*asked.request.messages, message]})
            asked = await self._intake.read_again(asked, behind)
        work = await self._attempts.plan(asked, served)
        return await self._attempts.begin(asked, work, asked.context, watch, said)

    def served(self, chain: Chain, model: str) -> None:
        """This model has answered."""
        self._sticky.keep(chain.keys, model)

    async def _named(self, asked: Asked[CreateMessage], entries: list[Fallback], size: int) -> list[Link]:
        name, profile = asked.request.model, asked.target.profile
        targets = self.targets(profile, asked.context.models)
        if not targets:
            raise InvalidRequest(f"fallbacks: '{shown(name)}' does not support the `fallbacks` parameter.")
        links: list[Link] = []
        for n, entry in enumerate(entries):
            path, said = f"fallbacks.{n}", shown(entry.model)
            target = self._routes.catalogue.resolve(entry.model)
            if target is None or target.id not in targets:
                raise InvalidRequest(f"{path}.model: '{said}' is not a valid fallback target for '{shown(name)}'.")
            if any(link.model == target.id for link in links):
                raise InvalidRequest(f"{path}.model: '{said}' is named twice. Each entry must name another model.")
            link = Link(for_model(asked.request, entry, target), target.id)
            issue = await self._intake.judged_for(link.request, asked.context, size)
            if issue is not None:
                raise InvalidRequest(
                    f"{path}: target model '{said}' is not compatible with this request: {issue.message}",
                    details=issue.details,
                )
            links.append(link)
        return links

    async def _default(self, asked: Asked[CreateMessage], size: int) -> list[Link]:
        """Those of the settings that could answer the request."""
        targets, links = self.targets(asked.target.profile, asked.context.models), list[Link]()
        for name in self._settings.default:
            target = self._routes.catalogue.resolve(name)
            if target is None or target.id not in targets or any(link.model == target.id for link in links):
                continue
            link = Link(for_model(asked.request, Fallback(model=name), target), target.id)
            if len(links) < _MOST and await self._intake.judged_for(link.request, asked.context, size) is None:
                links.append(link)
        return links
