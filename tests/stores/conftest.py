"""A real server for the store that is shared, once for all tests of a file."""

from collections.abc import AsyncGenerator, Iterator

import pytest

from tests.stores.implementations import Bench, StoreServer, client, memory, shared, store_server


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreServer]:
    """It runs while the file's tests do."""
    with store_server(tmp_path_factory.mktemp("store")) as server:
        yield server


@pytest.fixture(params=["memory", "shared"])
async def bench(request: pytest.FixtureRequest) -> AsyncGenerator[Bench]:
    """Every store there is, empty."""
    if request.param == "memory":
        async with memory() as found:
            yield found
        return
    server: StoreServer = request.getfixturevalue("redis_server")
    async with client(server.url) as redis:
        await redis.flushall()
    async with shared(server.url) as found:
        yield found
