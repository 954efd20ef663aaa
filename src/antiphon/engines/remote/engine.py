"""One model in engines that somebody else runs, behind the `Engine` port."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Final, TypeVar

from msgspec import structs

from antiphon.dialogue.rendered import Segment
from antiphon.engines.ahead import read_ahead
from antiphon.engines.remote.agreement import Wishes, disagreement, first_of, joint_card, lacking
from antiphon.engines.remote.connection import EngineBroken, EngineLost
from antiphon.engines.remote.draining import Draining, Drains, NoDrains
from antiphon.engines.remote.endpoint import Endpoint, Findings
from antiphon.engines.remote.members import Member
from antiphon.engines.remote.poison import Poison
from antiphon.engines.remote.pooled import USUAL_QUEUE, Pooled
from antiphon.errors import EngineDied, EngineFault, EngineFull, EngineNotBegun, EngineRefused, EngineUnavailable
from antiphon.ports.engine import Done, EngineHealth, EngineOutput, Generation, ModelCard

WATCH_INTERVAL: Final = 2.0
FRESH: Final = 1.0
"""Seconds for which an engine is believed to have the model that it was last seen with: none can load another one in
less."""

LONGEST_DELAY: Final = 10.0
_TRACE_TIMEOUT: Final = 5.0
_ATTEMPTS: Final = 2
_FEW: Final = 40
_LOOKS_A_SECOND: Final = 20

_Reply = TypeVar("_Reply")
_log = logging.getLogger("antiphon.engine")


class RemoteEngine:
    """A model at one URL or at many, which all have to have the same one.

    Work that an endpoint did not begin is tried once more, at another one if there is one. An endpoint that is lost,
    or has another model, is left out until it is back and has what it should have. `limit`, `queue`: see `Pooled`,
    which says who does what. `told`: hears at the start what was found at each URL. `drains`: where the owner takes
    endpoints out of service. `interval`: seconds between two looks at an endpoint.
    """

    def __init__(
        self,
        wishes: Wishes,
        endpoints: Sequence[Endpoint],
        *,
        limit: int | None = None,
        queue: int = USUAL_QUEUE,
        told: Callable[[str, Findings], None] | None = None,
        drains: Drains | None = None,
        interval: float = WATCH_INTERVAL,
    ) -> None:
        self._wishes = wishes
        self._members = [Member(endpoint) for endpoint in endpoints]
        self._places = Pooled(self._members, limit=limit, queue=queue)
        self._draining = Draining(drains or NoDrains(), self._members, self._places)
        self._told = told
        # Many of them are looked at more seldom: work finds out as well who is away.
        self._interval = max(interval, len(endpoints) / _LOOKS_A_SECOND) if len(endpoints) > _FEW else interval
        self._card = ModelCard(id=wishes.id, name=wishes.id, window=wishes.context, sampling=wishes.sampling)
        self._first: Findings | None = None
        self._poison = Poison()
        self._watching: list[asyncio.Task[None]] = []
        self._closed = False

    @property
    def card(self) -> ModelCard:
        """The model's card; complete when `start` returns."""
        return self._card

    @property
    def members(self) -> Sequence[Member]:
        """The endpoints, in the order in which they were named."""
        return self._members

    async def start(self) -> None:
        """Learn what is at every URL. Raises `EngineFault`, and leaves nothing running.

        One of several endpoints may be away; it joins when it comes.
        """
        try:
            learnt = await asyncio.gather(*map(self._learn, self._members), return_exceptions=True)
            for problem in learnt:
                if isinstance(problem, BaseException) and not isinstance(problem, EngineUnavailable):
                    raise problem
            found = {member.endpoint.url: member.findings for member in self._members if member.findings is not None}
            if not found:
                raise EngineUnavailable(self._details())
            for url, findings in found.items():
                if self._told is not None:
                    self._told(url, findings)
            if words := [lacking(url, findings) for url, findings in found.items() if findings.missing]:
                raise EngineFault(" ".join(words))
            self._first, self._card = joint_card(self._wishes, found)
        except BaseException:
            await self.aclose()
            raise
        for member in self._members:
            if member.findings is None:
                _log.warning("%s: %s; it will be used when it is there", member.endpoint.url, member.detail)
            else:
                self._enter(member)
        self._draining.look()
        self._watching = [asyncio.create_task(self._watch(member)) for member in self._members]
        self._watching.append(asyncio.create_task(self._draining.watch()))

    async def tokenize(self, segments: Sequence[Segment], *, begins: bool = True) -> tuple[int, ...]:
        """The tokens of the segments, in order."""
        return await self._ask(lambda endpoint: endpoint.tokenize(segments, begins=begins))

    def generate(self, work: Generation) -> AsyncGenerator[EngineOutput]:
        """Run the model; see `Engine.generate`. Prompt and reply together stay within the card's window."""
        # The endpoint is free for others when the model has ended, not when a client has read that.
        return read_ahead(self._outputs(work))

    async def health(self) -> EngineHealth:
        """Whether one of the endpoints can answer."""
        if self._closed or not self._watching:
            return EngineHealth(False, "the engine is stopped" if self._closed else "the engine has not been started")
        shown = {member.endpoint.url: member.shown for member in self._members}
        serving = frozenset(member.endpoint.url for member in self._members if member.takes)
        return EngineHealth(bool(serving), self._details(), shown, serving=serving, waiting=self._places.pool.waiting)

    async def aclose(self) -> None:
        """Close all connections; requests in flight end with `EngineDied`."""
        self._closed = True
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)
        self._draining.close()
        self._places.close()
        for member in self._members:
            self._leave(member, "the engine is stopped", tells=False)
            await member.endpoint.aclose()

    async def _outputs(self, work: Generation) -> AsyncGenerator[EngineOutput]:
        """The work's outputs, of the endpoint that began it."""
        limit = self._limit(work)
        if limit is None:
            yield Done("length", 0)
            return
        work = structs.replace(work, sampling=first_of(work.sampling, self._card.sampling))
        tried: list[Member] = []
        while True:
            begun, end = False, None
            self._among(tried)
            async with self._places.place(work, tried) as place:
                member = place.member
                try:
                    async with aclosing(member.endpoint.generate(_asked(work, member, tried), limit)) as outputs:
                        output = await self._first_of(outputs, member)
                        self._poison.survived(work)
                        while output is not None:
                            begun = True
                            place.hears(output)
                            if isinstance(output, Done):
                                end = output
                            else:
                                yield output
                            if not place.reads:
                                break
                            output = await anext(outputs, None)
                        async for output in outputs:
                            # The place has heard already that the prompt was read.
                            if isinstance(output, Done):
                                place.hears(output)
                                end = output
                            else:
                                yield output
                    if end is None:
                        raise EngineDied(f"{member.endpoint.url} stopped in the middle of a reply")
                except EngineUnavailable as problem:
                    self._fear(work, member, problem, begun=begun)
                    self._judge(member, problem, tried)
                except EngineDied:
                    self._doubt(member)
                    raise
            if end is not None:
                # Told when the place is free, or kept, for what comes next.
                yield end
                return
            tried.append(member)

    def _limit(self, work: Generation) -> int | None:
        """How many tokens the work may have; None: not one, where it asks for some. Raises where it is not taken."""
        self._among(())
        self._refuse_poison(work)
        room = self._card.window - len(work.prompt.tokens)
        if room < 0:
            raise EngineRefused(
                f"the prompt has {len(work.prompt.tokens)} tokens, and the model's window is {self._card.window}"
            )
        return min(work.max_tokens, room) if room else None

    async def _ask(self, question: Callable[[Endpoint], Awaitable[_Reply]]) -> _Reply:
        tried: list[Member] = []
        while True:
            member = self._among(tried)[0]
            try:
                await self._confirm(member)
                return await question(member.endpoint)
            except EngineUnavailable as problem:
                self._judge(member, problem, tried)
            tried.append(member)

    def _among(self, tried: Sequence[Member]) -> Sequence[Member]:
        """The members that may be asked; those that were tried already only where there is no other."""
        up = [member for member in self._members if member.takes]
        if not up:
            raise EngineUnavailable(f"no engine can take the request now: {self._details()}")
        return [member for member in up if member not in tried] or up

    def _details(self) -> str:
        """Why those take nothing that do not, in words for the owner."""
        return "; ".join(f"{member.endpoint.url}: {member.shown}" for member in self._members if not member.takes)

    def _judge(self, member: Member, problem: EngineUnavailable, tried: Sequence[Member]) -> None:
        """What is to be thought of an endpoint that did not begin; raises where no more is to be tried."""
        if isinstance(problem, EngineFull):
            self._places.rests(member, problem.retry_after)
        else:
            self._doubt(member)
        if len(tried) + 1 < _ATTEMPTS:
            return
        if isinstance(problem, EngineBroken):
            raise EngineDied(str(problem)) from problem
        raise problem

    def _fear(self, work: Generation, member: Member, problem: EngineUnavailable, *, begun: bool) -> None:
        """Remember what an endpoint may have been lost of; raises where that is enough not to send it again, and
        where the work had begun."""
        if begun:
            raise EngineDied(str(problem)) from problem
        if isinstance(problem, EngineLost):
            self._poison.lost(work, asyncio.get_running_loop().time())
            self._doubt(member)
            self._refuse_poison(work)

    def _refuse_poison(self, work: Generation) -> None:
        if self._poison.holds(work, asyncio.get_running_loop().time()):
            raise EngineRefused("engines were lost with this prompt before they answered: it is not sent again now")

    def _doubt(self, member: Member) -> None:
        """Look at the endpoint before anything else is asked of it."""
        member.seen = float("-inf")
        member.doubted.set()

    async def _first_of(self, outputs: AsyncGenerator[EngineOutput, None], member: Member) -> EngineOutput | None:
        """The first output, None where there is none. Meanwhile the endpoint is asked whether it still has its model:
        nothing that it writes counts before it has said so."""
        if self._is_fresh(member):
            return await anext(outputs, None)
        first = asyncio.ensure_future(anext(outputs, None))
        try:
            await self._confirm(member)
            return await first
        except EngineFault:
            if first.done() and not first.cancelled() and isinstance(lost := first.exception(), EngineLost):
                raise lost from None
            raise
        finally:
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)

    def _is_fresh(self, member: Member) -> bool:
        return asyncio.get_running_loop().time() - member.seen <= FRESH

    async def _confirm(self, member: Member) -> None:
        """Whether the endpoint still has its model. Raises `EngineNotBegun`."""
        if self._is_fresh(member):
            return
        async with member.asking:
            if self._is_fresh(member):
                return
            try:
                trace = await self._trace(member)
            except EngineFault as problem:
                self._leave(member, str(problem))
                raise EngineNotBegun(f"{member.endpoint.url}: {problem}") from problem
            if trace != member.trace or not member.up:
                self._leave(member, "it does not have the model any more that it had")
                raise EngineNotBegun(f"{member.endpoint.url}: {member.detail}")

    async def _trace(self, member: Member) -> str:
        try:
            async with asyncio.timeout(_TRACE_TIMEOUT):
                trace = await member.endpoint.trace()
        except TimeoutError:
            raise EngineUnavailable(f"it did not answer in {_TRACE_TIMEOUT:g} s") from None
        member.seen = asyncio.get_running_loop().time()
        places, findings = member.endpoint.places, member.findings
        if findings is not None and places != findings.places:
            member.findings = replace(findings, places=places)
            self._places.resized(member)
        return trace

    async def _watch(self, member: Member) -> None:
        """Keep looking at an endpoint; ever more seldom while it is away."""
        delay = self._interval / 2
        while True:
            if not member.doubted.is_set():
                try:
                    async with asyncio.timeout(self._interval):
                        await member.doubted.wait()
                except TimeoutError:
                    pass
            member.doubted.clear()
            async with member.asking:
                await self._look(member)
            delay = self._interval if member.up else min(delay * 2, LONGEST_DELAY)
            if not member.up:
                await asyncio.sleep(delay)

    async def _look(self, member: Member) -> None:
        try:
            trace = await self._trace(member)
            if trace == (member.trace if member.up else member.refused):
                return
            if member.up:
                self._leave(member, "it does not have the model any more that it had")
            await self._learn(member)
        except EngineFault as problem:
            self._leave(member, str(problem))
            return
        assert member.findings is not None
        assert self._first is not None
        url, findings = member.endpoint.url, member.findings
        member.refused = member.trace
        if findings.missing:
            self._leave(member, lacking(url, findings))
        elif words := disagreement(self._card, self._first, findings):
            self._leave(member, words)
        else:
            member.refused = ""
            self._enter(member)
            _log.warning("%s is back", url)

    async def _learn(self, member: Member) -> None:
        member.findings = None
        try:
            # Before: what changes meanwhile is seen at the next look.
            member.trace = await member.endpoint.trace()
            member.findings = await member.endpoint.learn()
        except EngineFault as problem:
            member.detail = str(problem)
            raise
        member.seen = asyncio.get_running_loop().time()

    def _enter(self, member: Member) -> None:
        member.up, member.detail = True, ""
        if not member.drained:
            self._places.entered(member)

    def _leave(self, member: Member, why: str, *, tells: bool = True) -> None:
        if tells and (member.up or member.detail != why):
            _log.error("%s is left out: %s", member.endpoint.url, why)
        was_up, member.up, member.detail = member.up, False, why
        if was_up:
            self._places.left(member, why)
        member.doubted.set()


def _asked(work: Generation, member: Member, tried: Sequence[Member]) -> Generation:
    """The work as the member gets it; another time under another name: a router gives it to another engine then, most
    probably."""
    again = member in tried and work.conversation
    return structs.replace(work, conversation=f"{work.conversation}-again") if again else work
