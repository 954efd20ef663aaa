"""A model that is served no more ends behind the last request that may need it."""

import asyncio

from antiphon.service.held import Holds


async def _turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_model_is_waited_for_by_those_that_need_it_and_those_that_do_not_know_yet() -> None:
    holds, model, other = Holds(), object(), object()
    needs, unknown, not_this = holds.open(), holds.open(), holds.open()
    needs.settle(model)
    not_this.settle(other)
    waiting = asyncio.create_task(holds.without(model))
    await _turns()
    unknown.settle(other)
    await _turns()
    assert not waiting.done()
    needs.release()
    async with asyncio.timeout(5):
        await waiting


async def test_requests_that_come_later_are_not_waited_for() -> None:
    holds, model = Holds(), object()
    with holds.open() as early:
        early.settle(model)
        waiting = asyncio.create_task(holds.without(model))
        await _turns()
        holds.open()
    async with asyncio.timeout(5):
        await waiting


async def test_two_models_are_waited_for_at_once() -> None:
    holds, one, other = Holds(), object(), object()
    first, second = holds.open(), holds.open()
    first.settle(one)
    second.settle(other)
    waits = [asyncio.create_task(holds.without(model)) for model in (one, other)]
    await _turns()
    first.release()
    await _turns()
    assert [wait.done() for wait in waits] == [True, False]
    second.release()
    async with asyncio.timeout(5):
        await asyncio.gather(*waits)
