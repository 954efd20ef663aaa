"""Who gets which slot, and when."""

import asyncio

import pytest

from antiphon.engines.llamacpp.slots import Slot, Slots, common_start
from antiphon.errors import EngineFull

A, B, C = tuple(range(100, 200)), tuple(range(200, 300)), tuple(range(300, 400))
WRITTEN = (7, 8, 9)
LONG = 3600.0


async def used(slots: Slots, *prompts: tuple[int, ...]) -> list[int]:
    """Prompts that run at the same time; the numbers of their slots."""
    taken = [await slots.take(prompt) for prompt in prompts]
    for slot, prompt in zip(taken, prompts, strict=True):
        slots.give_back(slot, prompt, (), keep=False)
    return [slot.number for slot in taken]


def begin(slots: Slots, prompt: tuple[int, ...]) -> asyncio.Task[Slot]:
    return asyncio.ensure_future(slots.take(prompt))


async def settle() -> None:
    """Let every task run until it waits."""
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("one", "other", "length"),
    [((), (), 0), ((1,), (), 0), ((1, 2), (1, 2), 2), ((1, 2, 3), (1, 2, 4, 5), 2), ((1, 2), (2, 2), 0), (A, A[:64], 64)],
)  # fmt: skip
def test_common_beginnings_are_counted(one: tuple[int, ...], other: tuple[int, ...], length: int):
    assert common_start(one, other) == common_start(other, one) == length


async def test_a_conversation_comes_back_to_its_slot():
    slots = Slots(3)
    assert await used(slots, A, B, C) == [0, 1, 2]
    assert await used(slots, (*B, 1, 2)) == [1]
    assert await used(slots, (*C, 1), (*A, 1)) == [2, 0]


async def test_a_new_conversation_gets_the_slot_that_was_unused_for_the_longest_time():
    slots = Slots(3)
    await used(slots, A, B, C)
    await used(slots, A)
    # A few tokens that all prompts begin with do not count.
    assert await used(slots, (*A[:10], *range(1000, 1090))) == [1]


async def test_the_better_part_of_a_prompt_in_a_slot_counts():
    slots = Slots(2)
    await used(slots, A, B)
    assert await used(slots, (*B[:80], 1, 2)) == [1]


@pytest.mark.promise("engine.thoughts-go-on")
async def test_a_slot_is_kept_for_what_goes_on_there_before_all_that_wait():
    slots = Slots(1, grace=LONG)
    slot = await slots.take(A)
    waiting = begin(slots, B)
    await settle()
    slots.give_back(slot, A, WRITTEN, keep=True)
    await settle()
    assert not waiting.done()
    assert await slots.take((*A, *WRITTEN, 1)) is slot
    slots.give_back(slot, (*A, *WRITTEN, 1), (), keep=False)
    assert await waiting is slot


@pytest.mark.promise("engine.thoughts-go-on")
async def test_of_two_thoughts_about_one_prompt_each_goes_on_in_its_own_slot():
    slots = Slots(2, grace=LONG)
    first, second = await slots.take(A), await slots.take(A)
    slots.give_back(first, A, (1, 2), keep=True)
    slots.give_back(second, A, (3, 4), keep=True)
    assert await slots.take((*A, 3, 4, 5)) is second
    assert await slots.take((*A, 1, 2, 5)) is first


async def test_another_prompt_does_not_get_a_slot_that_is_kept():
    slots = Slots(2, grace=LONG)
    slots.give_back(await slots.take(A), A, WRITTEN, keep=True)
    assert await used(slots, (*A[:90], 1)) == [1]
    # The same prompt again is another reply.
    assert await used(slots, A) == [1]


@pytest.mark.promise("engine.thoughts-go-on")
async def test_a_slot_is_not_kept_for_long():
    slots = Slots(1, grace=0.01)
    slots.give_back(await slots.take(A), A, (), keep=True)
    slot = await asyncio.wait_for(slots.take(B), 10)
    slots.give_back(slot, B, (), keep=False)
    assert await used(slots, (*A, 1)) == [0]


@pytest.mark.promise("engine.concurrent")
async def test_prompts_that_wait_come_in_their_order_and_may_give_up():
    slots = Slots(1)
    slot = await slots.take(A)
    first, second, third, fourth = (begin(slots, (number,)) for number in range(4))
    await settle()
    first.cancel()
    await settle()
    slots.give_back(slot, A, (), keep=False)
    # The second has the slot already when it gives up.
    second.cancel()
    await settle()
    assert (second.cancelled(), third.done(), fourth.done()) == (True, True, False)
    slots.give_back(third.result(), (2,), (), keep=False)
    assert await asyncio.wait_for(fourth, 10) is slot


async def given(*tasks: asyncio.Task[Slot]) -> list[bool]:
    """Which of the prompts have a slot."""
    await settle()
    return [task.done() for task in tasks]


@pytest.mark.promise("adapter.kinds-take-turns")
async def test_work_with_the_adapter_and_work_without_take_turns_in_the_order_in_which_they_came():
    slots = Slots(4)
    first, second = await slots.take(A), await slots.take(B)
    plain, plain_too = (asyncio.ensure_future(slots.take(prompt, adapted=False)) for prompt in (A, B))
    late = begin(slots, C)
    # The late prompt's kind runs, and it may not overtake those that wait for the other's turn.
    assert await given(plain, plain_too, late) == [False, False, False]
    slots.give_back(first, A, (), keep=False)
    assert await given(plain, plain_too, late) == [False, False, False]
    slots.give_back(second, B, (), keep=False)
    assert await given(plain, plain_too, late) == [True, True, False]
    slots.give_back(plain.result(), A, (), keep=False)
    slots.give_back(plain_too.result(), B, (), keep=False)
    assert await given(late) == [True]


@pytest.mark.promise("adapter.kinds-take-turns")
async def test_who_gives_up_while_its_kind_has_no_turn_holds_up_nobody():
    slots = Slots(4)
    first = await slots.take(A)
    plain = asyncio.ensure_future(slots.take(B, adapted=False))
    late = begin(slots, C)
    assert await given(plain, late) == [False, False]
    plain.cancel()
    assert await given(late) == [True]
    slots.give_back(first, A, (), keep=False)


@pytest.mark.promise("adapter.kinds-take-turns")
async def test_a_slot_that_is_kept_for_a_thought_keeps_its_kinds_turn():
    slots = Slots(2, grace=LONG)
    slots.give_back(await slots.take(A), A, WRITTEN, keep=True)
    plain = asyncio.ensure_future(slots.take((*A, *WRITTEN, 1), adapted=False))
    assert await given(plain) == [False]
    slot = await slots.take((*A, *WRITTEN, 1))
    assert not slot.anew
    slots.give_back(slot, (*A, *WRITTEN, 1), (), keep=False)
    assert await given(plain) == [True]


@pytest.mark.promise("adapter.plain-is-the-base")
async def test_what_the_adapter_took_part_in_is_no_beginning_for_work_without_it():
    slots = Slots(3)
    assert await used(slots, A, B) == [0, 1]
    # The prompt is in slot 0, and as good as not: the unused slot is as near.
    slot = await slots.take(A, adapted=False)
    assert slot.number == 2
    slots.give_back(slot, A, (), keep=False)
    assert await used(slots, A) == [0]
    assert (await slots.take(A, adapted=False)).number == 2


@pytest.mark.promise("adapter.plain-is-the-base")
async def test_who_takes_a_slot_is_told_whether_what_it_holds_is_the_other_kinds():
    slots = Slots(1)

    async def anew(prompt: tuple[int, ...], *, adapted: bool, begun: bool = True) -> bool:
        slot = await slots.take(prompt, adapted=adapted)
        slots.give_back(slot, prompt, (), keep=False, begun=begun)
        return slot.anew

    assert [await anew(A, adapted=adapted) for adapted in (True, True, False, False, True)] == [
        True, False, True, False, True,
    ]  # fmt: skip
    # Work that ended before the server began with it leaves what was there; of its own kind that does no harm.
    assert not await anew(B, adapted=True, begun=False)
    assert not await anew(A, adapted=True)
    assert await anew(A, adapted=False, begun=False)
    assert await anew(A, adapted=False)
    assert not await anew(A, adapted=False)


@pytest.mark.promise("pool.fair")
async def test_tenants_take_turns():
    slots = Slots(1)
    held = await slots.take(A)
    order: list[str] = []

    async def turn(name: str) -> None:
        slot = await slots.take(B, tenant=name[0])
        order.append(name)
        slots.give_back(slot, B, (), keep=False)

    waiting = [asyncio.ensure_future(turn(name)) for name in ("a1", "a2", "a3", "b1")]
    await settle()
    slots.give_back(held, A, (), keep=False)
    async with asyncio.timeout(5):
        await asyncio.gather(*waiting)
    assert order == ["a1", "b1", "a2", "a3"]


@pytest.mark.promise("pool.full")
async def test_beyond_the_bound_one_is_turned_away_and_leaves_nothing_behind():
    slots = Slots(1, queue=1)
    held = await slots.take(A)
    waiting = begin(slots, B)
    await settle()
    with pytest.raises(EngineFull) as full:
        await slots.take(C)
    assert full.value.retry_after >= 1
    waiting.cancel()
    await settle()
    behind = begin(slots, C)
    await settle()
    slots.give_back(held, A, (), keep=False)
    async with asyncio.timeout(5):
        assert (await behind).number == 0


async def test_what_goes_on_from_a_kept_slot_is_never_turned_away():
    slots = Slots(1, grace=LONG, queue=0)
    slot = await slots.take(A)
    slots.give_back(slot, A, WRITTEN, keep=True)
    assert (await slots.take((*A, *WRITTEN, 1))).number == 0
