"""A server is killed in the middle of a batch, some times: `benchmarks/batch_kills.py` does the same for longer."""

import asyncio
import random
from collections.abc import Generator
from pathlib import Path

import aiohttp
import pytest
from benchmarks.batch_kills import Trial

from tests.referee.warm import start
from tests.stores.databases import KINDS, postgres_server

KILLS = 4
ROWS = 60
BOUND = 300.0


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest) -> Generator[str | None]:
    """The URL of a database for servers in processes of their own; None: their own file."""
    if request.param == "sqlite":
        yield None
        return
    with postgres_server() as server:
        yield server.url()


@pytest.mark.promise("batches.restart")
async def test_every_request_has_one_answer_and_is_counted_once_however_often_its_server_is_killed(
    tmp_path: Path, database: str | None
) -> None:
    trial = Trial("killed", tmp_path, database, ROWS, random.Random(7), start=start)
    async with asyncio.timeout(BOUND), aiohttp.ClientSession() as session:
        await trial.run(session, KILLS)
    assert trial.problems == []
    assert len(trial.moments) >= KILLS // 2
    assert any(0 < moment < ROWS for moment in trial.moments)
