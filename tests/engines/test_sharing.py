"""One server for engines in several processes: the owner's side and theirs, with a line between them that waits."""

import asyncio
from collections import deque
from typing import Any

import pytest

from antiphon.engines.llamacpp.embedded.child import Load
from antiphon.engines.llamacpp.embedded.home import EmbeddedHome
from antiphon.engines.llamacpp.home import Left, Place
from antiphon.engines.llamacpp.kept.keeping import Keeping, Room
from antiphon.engines.llamacpp.lent.attached import AttachedHome
from antiphon.engines.llamacpp.lent.line import packed, unpacked
from antiphon.engines.llamacpp.lent.sharing import Share
from antiphon.engines.llamacpp.slots import Slot
from antiphon.errors import EngineFull, EngineUnavailable
from antiphon.ports.engine import Keep
from tests.engines.test_slots import settle

A, B, C = tuple(range(100, 200)), tuple(range(200, 300)), tuple(range(300, 400))


def home(parallel: int = 2) -> EmbeddedHome:
    """A home whose process is never started."""
    return EmbeddedHome(Load("model.gguf", "", 100, parallel, 0, 0, 0, marker="<here>"))


class Process:
    """Another process with an engine of its own, and the line to the owner. What is said waits until `deliver`."""

    def __init__(self, owner: EmbeddedHome) -> None:
        self.said: deque[tuple[dict[str, Any], bytes]] = deque()
        self.told: deque[dict[str, Any]] = deque()
        self.home = AttachedHome(lambda message, data: self.said.append((message, data)), owner.marker)
        self.share = Share(owner, lambda message, data: self.told.append(message))

    async def deliver(self) -> None:
        """All that was said on both sides arrives, and what comes of it."""
        for _ in range(4):
            await settle()
            while self.said:
                self.share.hear(*self.said.popleft())
            await settle()
            while self.told:
                self.home.hear(self.told.popleft())

    async def take(self, tokens: tuple[int, ...]) -> Slot:
        """A slot that is free."""
        taking = self.begin(tokens)
        await self.deliver()
        return await asyncio.wait_for(taking, 10)

    def begin(self, tokens: tuple[int, ...]) -> asyncio.Task[Slot]:
        """Ask for a slot."""
        return asyncio.ensure_future(self.home.slots[True].take(tokens))

    async def end(
        self,
        slot: Slot,
        prompt: tuple[int, ...] = (),
        written: tuple[int, ...] = (),
        *,
        keep: bool = False,
        begun: bool = True,
        left: Left | None = None,
    ) -> None:
        """The work is done."""
        self.home.slots[True].give_back(slot, prompt, written, keep=keep, begun=begun, left=left)
        await self.deliver()


def test_tokens_travel_as_they_are():
    assert unpacked(packed((0, 1, 151_935, 2**31 - 1))) == (0, 1, 151_935, 2**31 - 1)
    assert unpacked(packed(())) == ()


@pytest.mark.promise("workers.slots")
async def test_a_conversation_finds_its_slot_again_from_another_process():
    owner = home(3)
    one, other = Process(owner), Process(owner)
    for prompt in (A, B, C):
        await one.end(await one.take(prompt), prompt, (7, 8))
    slot = await other.take((*B, 7, 8, 9))
    assert slot.number == 1
    assert not slot.anew


@pytest.mark.promise("workers.slots")
async def test_slots_are_given_in_the_order_in_which_processes_ask():
    owner = home(1)
    one, other = Process(owner), Process(owner)
    slot = await one.take(A)
    first = other.begin(B)
    await other.deliver()
    second, third = one.begin(A), other.begin(C)
    await one.deliver()
    await other.deliver()
    await one.end(slot, A)
    await other.deliver()
    assert (first.done(), second.done(), third.done()) == (True, False, False)
    await other.end(first.result(), B)
    await one.deliver()
    assert (second.done(), third.done()) == (True, False)
    await one.end(second.result(), A)
    await other.deliver()
    assert third.done()


@pytest.mark.promise("cache.kept-beyond-slots", "cache.kept-told")
async def test_what_a_work_leaves_to_be_kept_reaches_the_owner_and_what_is_kept_all_others() -> None:
    keeping = Keeping(Room(1000), (), 100)
    owner = EmbeddedHome(Load("model.gguf", "", 100, 1, 0, 0, 0), keeping=keeping)
    one, other = Process(owner), Process(owner)
    left = Left((Keep(50, b"\x00key", 300, 1000.5),), 0)
    await one.end(await one.take(A), A, left=left)
    await other.end(await other.take(A), A, left=Left(left.keep, 99))
    await one.end(await one.take(B), B)
    for process in (one, other):
        assert process.home.kept == owner.kept
    assert other.home.kept is not None
    assert (other.home.kept.missed, other.home.kept.in_place) == (1, 1)
    await owner.aclose()


@pytest.mark.promise("workers.slots")
async def test_what_a_dead_process_held_and_waited_for_is_free():
    owner = home(2)
    dies, lives = Process(owner), Process(owner)
    await dies.take(A)
    await dies.take(B)
    waiting, mine = dies.begin(C), lives.begin(C)
    await dies.deliver()
    await lives.deliver()
    assert (waiting.done(), mine.done()) == (False, False)
    dies.share.close()
    await lives.deliver()
    assert mine.done()
    await lives.take(A)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)


@pytest.mark.promise("workers.slots")
async def test_a_slot_that_came_while_its_process_died_is_free():
    owner = home(1)
    dies, lives = Process(owner), Process(owner)
    taking = dies.begin(A)
    await settle()
    dies.share.hear(*dies.said.popleft())
    # The slot is given, and the news of it are on their way.
    await asyncio.sleep(0)
    dies.share.close()
    await lives.take(B)
    taking.cancel()
    await asyncio.gather(taking, return_exceptions=True)


@pytest.mark.parametrize("arrives", ["asked", "given", "told"])
async def test_who_gives_up_leaves_the_slot_to_others_whenever_that_is(arrives: str):
    owner = home(1)
    one, other = Process(owner), Process(owner)
    taking = one.begin(A)
    await settle()
    if arrives != "asked":
        one.share.hear(*one.said.popleft())
        await settle()
    if arrives == "told":
        one.home.hear(one.told.pop())
    taking.cancel()
    await one.deliver()
    assert taking.cancelled()
    await other.take(B)


async def test_a_slot_is_kept_for_a_thought_that_goes_on_across_the_line():
    owner = home(1)
    one, other = Process(owner), Process(owner)
    slot = await one.take(A)
    await one.end(slot, A, (7,), keep=True)
    waiting = other.begin(B)
    await other.deliver()
    assert not waiting.done()
    again = await one.take((*A, 7, 1))
    await one.end(again, (*A, 7, 1))
    await other.deliver()
    assert waiting.done()


@pytest.mark.promise("workers.one-engine")
async def test_who_shares_a_server_hears_of_its_end_and_of_the_next_one():
    owner = home()
    process = Process(owner)
    await process.deliver()
    assert (process.home.child, process.home.detail) == (None, "the engine has not been started")
    presence: Any = owner.presence
    presence.enter(Place("http://127.0.0.1:1", "one"))
    started = asyncio.ensure_future(process.home.start())
    await process.deliver()
    first = await asyncio.wait_for(started, 10)
    assert (first.address, first.key) == ("http://127.0.0.1:1", "one")
    lost = asyncio.ensure_future(process.home.lost(first, 10))
    presence.leave("it was ended by SIGKILL.")
    await process.deliver()
    await asyncio.wait_for(lost, 10)
    assert process.home.detail == "it was ended by SIGKILL."
    with pytest.raises(EngineUnavailable, match="SIGKILL"):
        await process.home.ready(0.0)
    waiting = asyncio.ensure_future(process.home.ready(10))
    presence.enter(Place("http://127.0.0.1:2", "two"))
    await process.deliver()
    assert (await waiting).key == "two"
    await process.home.aclose()
    with pytest.raises(EngineUnavailable, match="stopped"):
        await process.home.ready(10)


async def test_a_process_that_comes_later_is_told_at_once_where_the_server_is():
    owner = home()
    presence: Any = owner.presence
    presence.enter(Place("http://127.0.0.1:1", "one"))
    late = Process(owner)
    await late.deliver()
    assert late.home.child == Place("http://127.0.0.1:1", "one")
    assert late.home.marker == "<here>"
    late.share.close()
    presence.leave("gone")
    assert not late.told


@pytest.mark.promise("workers.slots")
async def test_plain_work_and_other_work_have_slots_of_their_own_where_there_are_two_models():
    owner = EmbeddedHome(Load("model.gguf", "", 100, 1, 0, 0, 0, second="tools.gguf"))
    one, other = Process(owner), Process(owner)
    plain = asyncio.ensure_future(one.home.slots[False].take(A, adapted=False))
    with_tools = asyncio.ensure_future(other.home.slots[True].take(A, adapted=True))
    third = asyncio.ensure_future(other.home.slots[True].take(B, adapted=True))
    await one.deliver()
    await other.deliver()
    assert (plain.done(), with_tools.done(), third.done()) == (True, True, False)
    one.home.slots[False].give_back(plain.result(), A, (), keep=False)
    await one.deliver()
    await other.deliver()
    assert not third.done()
    other.share.close()
    third.cancel()
    await asyncio.gather(third, return_exceptions=True)


@pytest.mark.promise("workers.slots")
async def test_who_comes_when_too_many_wait_is_told_so_across_the_line():
    owner = EmbeddedHome(Load("model.gguf", "", 100, 1, 0, 0, 0), queue=1)
    one, other = Process(owner), Process(owner)
    slot = await one.take(A)
    waiting, refused = one.begin(B), other.begin(C)
    await one.deliver()
    await other.deliver()
    assert not waiting.done()
    with pytest.raises(EngineFull, match="wait already") as full:
        await refused
    assert full.value.retry_after > 0
    await one.end(slot, A)
    assert waiting.done()
    assert len(other.home.slots) == 2


@pytest.mark.promise("workers.slots")
async def test_tenants_take_turns_whichever_process_they_come_to():
    owner = home(1)
    one, other = Process(owner), Process(owner)
    slot = await one.take(A)
    busy = [asyncio.ensure_future(one.home.slots[True].take(B, tenant="busy")) for _ in range(3)]
    await one.deliver()
    quiet = asyncio.ensure_future(other.home.slots[True].take(C, tenant="quiet"))
    await other.deliver()
    await one.end(slot, A)
    first = next(each for each in busy if each.done())
    await one.end(first.result(), B)
    await other.deliver()
    assert quiet.done()
    one.share.close()
    for each in busy:
        each.cancel()
    await asyncio.gather(*busy, return_exceptions=True)
