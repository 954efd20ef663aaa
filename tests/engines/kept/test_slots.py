"""Slots that are filled with what is kept, over a server that remembers nothing but its slots."""

import asyncio

import pytest

from antiphon.engines.llamacpp.home import Left
from antiphon.engines.llamacpp.kept.slots import WORTH
from antiphon.engines.llamacpp.kept.store import Room
from antiphon.errors import EngineDied
from tests.engines.kept.doubles import SERVER, Clock, House, until
from tests.engines.test_slots import settle

SYSTEM = tuple(range(1000, 1200))
A, B, C = (*SYSTEM, 1, 2, 3), (*SYSTEM, 4, 5, 6), (*SYSTEM, 7, 8)
OTHER = tuple(range(5000, 5100))


@pytest.mark.promise("cache.kept-beyond-slots")
async def test_a_marked_prefix_is_there_after_other_conversations_had_all_slots() -> None:
    house = House(2)
    assert await house.ask(A, house.keep(len(SYSTEM))) == 0
    for number in range(8):
        await house.ask(tuple(range(10_000 * number, 10_000 * number + 100)))
    assert await house.ask(A, house.keep(len(SYSTEM))) == len(A)
    counts = house.kept.counts
    assert (counts.missed, counts.restored, counts.in_place) == (1, 1, 0)


@pytest.mark.promise("cache.kept-shared")
async def test_conversations_that_share_a_marked_prefix_have_it_at_the_same_time() -> None:
    house = House(3)
    await house.ask(A, house.keep(len(SYSTEM)))
    await house.ask(OTHER)
    one = await house.take(A)
    # The slot that has it is at work.
    assert await house.ask(B, house.keep(len(SYSTEM))) == 0
    house.kept.give_back(one, A, (), keep=False, left=Left((), len(A)))
    await house.kept.aclose()
    for prompt in (C, (*SYSTEM, 9), (*SYSTEM, 10)):
        slots = [await house.take(prompt), await house.take(prompt)]
        for slot in slots:
            assert await house.client.read(SERVER, slot.number, prompt) >= len(SYSTEM)
            house.kept.give_back(slot, prompt, (), keep=False)


@pytest.mark.promise("cache.kept-beyond-slots")
async def test_what_nobody_marked_is_not_kept() -> None:
    house = House()
    await house.ask(A)
    await house.ask(OTHER)
    assert await house.ask(A) == 0
    assert "save 0" not in house.client.calls


@pytest.mark.promise("cache.kept-aside")
async def test_a_slot_is_saved_when_it_has_rested_and_not_while_its_conversation_goes_on() -> None:
    house = House(rest=0.0)
    slot = await house.take(A)
    await house.client.read(SERVER, slot.number, A)
    house.kept.give_back(slot, A, (), keep=False, left=Left((house.keep(len(A)),), 0))
    assert house.client.calls == ["read 0"]
    # The next turn comes before it has rested.
    assert await house.ask((*A, 9), house.keep(len(A)), house.keep(len(A) + 1, b"next")) == len(A)
    assert house.client.calls == ["read 0", "read 0"]
    await until(lambda: house.saved.prefixes > 0)
    assert house.client.calls == ["read 0", "read 0", "save 0"]


@pytest.mark.promise("cache.kept-aside")
async def test_what_is_kept_already_is_not_saved_again() -> None:
    house = House()
    await house.ask(A, house.keep(len(SYSTEM)))
    await house.ask(OTHER)
    for prompt in (B, OTHER, C, OTHER):
        await house.ask(prompt, *[house.keep(len(SYSTEM))] * (prompt is not OTHER))
    assert house.client.calls.count("save 0") == 1


@pytest.mark.promise("cache.kept-beyond-slots")
async def test_a_prompt_waits_for_what_is_being_saved_of_it() -> None:
    house = House(2, rest=0.0)
    gate = house.client.gates["save"] = asyncio.Event()
    await house.ask(A, house.keep(len(SYSTEM)))
    await until(lambda: house.kept.is_saving)
    asking = asyncio.ensure_future(house.ask(B, house.keep(len(SYSTEM))))
    await settle()
    assert not asking.done()
    gate.set()
    assert await asyncio.wait_for(asking, 10) == len(SYSTEM)
    assert house.client.calls[1:] == ["save 0", "restore 1", "read 1"]


async def test_a_few_tokens_are_read_and_not_put_back() -> None:
    house = House()
    short = SYSTEM[:WORTH]
    await house.ask(short, house.keep(len(short)))
    await house.ask(OTHER)
    assert await house.ask(short) == 0


@pytest.mark.promise("cache.kept-faults")
@pytest.mark.parametrize("what", ["save", "restore", "erase"])
async def test_whatever_fails_beside_a_prompt_it_is_read(what: str) -> None:
    house = House()
    house.client.fails = {what, "restore"} if what == "erase" else {what}
    await house.ask(A, house.keep(len(SYSTEM)))
    await house.ask(OTHER)
    assert await house.ask(A, house.keep(len(SYSTEM))) == 0
    assert house.client.slots[0] == A


@pytest.mark.promise("cache.kept-faults")
async def test_what_a_dying_server_could_not_take_is_there_for_the_next_one() -> None:
    house = House()
    await house.ask(A, house.keep(len(SYSTEM)))
    await house.ask(OTHER)
    house.client.fails, house.client.failure = {"restore"}, EngineDied
    assert await house.ask(A) == 0
    await house.ask(OTHER)
    house.client.fails.clear()
    assert await house.ask(A) == len(A)


@pytest.mark.promise("cache.kept-faults")
async def test_without_a_server_nothing_is_kept_and_nothing_fails() -> None:
    house = House()
    await house.ask(A, house.keep(len(SYSTEM)))
    house.server = None
    await house.ask(OTHER)
    assert await house.ask(A) == 0
    await house.aclose()


@pytest.mark.promise("cache.kept-beyond-slots")
async def test_what_was_kept_is_put_into_the_slots_of_the_next_server() -> None:
    house = House()
    await house.ask(A, house.keep(len(SYSTEM)))
    await house.ask(OTHER)
    slot = await house.take(A)
    house.client.slots.clear()
    house.kept.forget()
    house.kept.give_back(slot, A, (), keep=False)
    assert await house.ask(A) == len(A)


@pytest.mark.promise("cache.kept-unable")
async def test_a_model_that_reads_again_what_was_put_back_is_found_out_while_it_works() -> None:
    house = House()
    house.client.forgets = True
    for _ in range(4):
        await house.ask(A, house.keep(len(SYSTEM)))
        await house.ask(OTHER)
    assert house.kept.why is not None
    assert "read anew" in house.kept.why
    calls = len(house.client.calls)
    await house.ask(A, house.keep(len(SYSTEM)))
    assert house.client.calls[calls:] == ["read 0"]


@pytest.mark.promise("cache.kept-unable")
@pytest.mark.parametrize(("forgets", "able"), [(False, True), (True, False)])
async def test_what_a_model_can_is_found_out_at_the_start(forgets: bool, able: bool) -> None:
    house = House()
    house.client.forgets, house.kept.why = forgets, None
    await house.kept.find_out()
    assert (house.kept.why == "") is able
    house.client.fails = {"restore"}
    house.kept.why = None
    await house.kept.find_out()
    assert house.kept.why is not None
    assert "cannot save and restore" in house.kept.why


@pytest.mark.promise("cache.tenants")
async def test_what_one_tenant_has_marked_is_put_into_no_slot_for_another() -> None:
    house = House()
    await house.ask(A, house.keep(len(SYSTEM)), tenant="one")
    await house.ask(OTHER)
    assert await house.ask(A, tenant="other") == 0
    await house.ask(OTHER)
    assert await house.ask(A, tenant="one") == len(A)


@pytest.mark.promise("cache.kept-expires")
async def test_what_is_kept_is_forgotten_at_its_time_which_each_reading_begins_anew() -> None:
    clock = Clock()
    house = House(clock=clock)
    await house.ask(A, house.keep(len(SYSTEM)))
    for _ in range(3):
        await house.ask(OTHER)
        clock.time += 200
        assert await house.ask(A, house.keep(len(SYSTEM))) == len(A)
    await house.ask(OTHER)
    clock.time += 300
    assert await house.ask(A) == 0


@pytest.mark.promise("cache.kept-bounded")
async def test_what_nobody_asked_for_longest_goes_where_there_is_no_room() -> None:
    # Two prefixes of 200 tokens and 100 bytes each.
    house = House(room=Room(2 * 210 * 100))
    prompts = [tuple(range(1000 * n, 1000 * n + 200)) for n in range(3)]
    for n, prompt in enumerate(prompts):
        await house.ask(prompt, house.keep(200, b"%d" % n))
    await house.ask(OTHER)
    assert (house.saved.prefixes, house.saved.evicted) == (2, 1)
    found: list[int] = []
    for prompt in reversed(prompts):
        found.append(await house.ask(prompt))
        await house.ask(OTHER)
    assert found == [200, 200, 0]


@pytest.mark.promise("cache.kept-bounded")
async def test_a_prefix_that_takes_more_than_there_is_is_not_kept(caplog: pytest.LogCaptureFixture) -> None:
    house = House(room=Room(100 * 100))
    for _ in range(2):
        await house.ask(A, house.keep(len(SYSTEM)))
        await house.ask(OTHER)
    assert (house.saved.prefixes, house.saved.memory) == (0, 0)
    assert caplog.text.count("prompt_cache_memory") == 1


@pytest.mark.promise("cache.kept-bounded")
async def test_a_conversation_that_goes_on_takes_the_room_of_one() -> None:
    house = House()
    prompt = SYSTEM
    for turn in range(10):
        prompt = (*prompt, *range(turn * 40, turn * 40 + 40))
        await house.ask(prompt, house.keep(len(SYSTEM), b"system"), house.keep(len(prompt), b"%d" % turn))
        await house.ask(OTHER)
        assert house.saved.prefixes == 1
    # What another one shares with its first turns is there still.
    assert await house.ask((*SYSTEM, 9, 9)) == len(SYSTEM)


async def test_who_gives_up_while_a_slot_is_filled_leaves_it_free() -> None:
    house = House()
    await house.ask(A, house.keep(len(SYSTEM)))
    await house.ask(OTHER)
    house.client.gates["restore"] = asyncio.Event()
    asking = asyncio.ensure_future(house.ask(A))
    await settle()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    house.client.gates.clear()
    assert await asyncio.wait_for(house.ask(A), 10) == len(A)
