"""Bounds that hold for all workers together."""

import asyncio
import sys
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from antiphon.compose.workers.shares import check_shares, share_of
from antiphon.config import ConfigError, ModelSettings, Settings
from antiphon.config.remote import RemoteSettings
from tests.compose.workers.running import Client, ask, serving
from tests.compose.workers.test_draining import one_each
from tests.engines.remote.fake_llama import fake_llama, held_until

MODEL = ModelSettings("m", "url", remote=RemoteSettings(("http://a",)))


@pytest.mark.promise("workers.bounds")
@pytest.mark.parametrize("workers", [1, 2, 3, 7])
@pytest.mark.parametrize(("queue", "places"), [(256, 32), (5, 7), (0, 8), (1, 0)])
def test_the_shares_of_all_workers_are_the_bound(workers: int, queue: int, places: int):
    assert MODEL.remote is not None
    model = replace(MODEL, queue=queue, remote=replace(MODEL.remote, endpoint_parallel=places))
    shares = [share_of(model, number, workers) for number in range(workers)]
    assert sum(share.queue for share in shares) == queue
    parts = [share.remote.endpoint_parallel for share in shares if share.remote is not None]
    assert sum(parts) == places
    assert max(parts) - min(parts) <= 1


def test_a_model_of_ours_is_shared_otherwise():
    model = ModelSettings("m", "builtin", queue=3)
    assert share_of(model, 0, 2) is model


@pytest.mark.promise("workers.bounds")
def test_a_bound_that_leaves_a_worker_nothing_is_refused_by_name():
    assert MODEL.remote is not None
    model = replace(MODEL, remote=replace(MODEL.remote, endpoint_parallel=2))
    check_shares(Settings(models={"m": model}, workers=2))
    with pytest.raises(ConfigError, match=r"models\.m\.endpoint_parallel is 2, and each of 3 workers needs 1"):
        check_shares(Settings(models={"m": model}, workers=3))


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.promise("workers.bounds")
async def test_two_workers_give_an_engine_no_more_than_one_would_and_turn_the_rest_away(tmp_path: Path):
    ends = asyncio.Event()
    async with AsyncExitStack() as open_:
        fake = await open_.enter_async_context(fake_llama())
        url = fake.url.replace("127.0.0.1", "localhost")
        config = tmp_path / "antiphon.toml"
        config.write_text(f'[models.m]\nurls = ["{url}"]\nendpoint_parallel = 2\nqueue = 1\n')
        server = await open_.enter_async_context(serving("--config", str(config)))
        fake.fault = held_until(ends)
        for client in (await one_each(server, open_)).values():
            client.send(ask("Hi"))
            await client.until(b"text_delta")
        more = list((await one_each(server, open_)).values())
        for client in more:
            client.send(ask("Hi"))
        answers = [asyncio.create_task(status(client)) for client in more]
        await asyncio.wait(answers, return_when=asyncio.FIRST_COMPLETED)
        assert [answer.result() for answer in answers if answer.done()] == [529]
        ends.set()
        assert Counter([await answer for answer in answers]) == {529: 1, 200: 1}


async def status(client: Client) -> int:
    """That of the reply."""
    return int((await client.until(b"\r\n")).split()[1])
