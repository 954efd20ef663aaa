"""What stands between: a router at the URL, with engines behind it that cannot be told from here.

Each question may be answered by another of them. They are reached by turns with sessions of different names, so that
what only some of them have is found.
"""

from collections.abc import Iterator
from typing import Any, Final, cast

from antiphon.engines.remote.connection import Connection
from antiphon.engines.remote.endpoint import SESSION_HEADER
from antiphon.errors import EngineDied, EngineNotBegun, EngineRefused

MOST_ASKED: Final = 64
_FOR_EACH: Final = 4


async def engines_behind(connection: Connection) -> int:
    """How many engines that are well are behind the router at the URL, as far as it says; 0: there is no router that
    is known, or it has none.

    Source: vllm-router, `GET /workers`.
    """
    try:
        said = await connection.get("/workers")
    except (EngineRefused, EngineDied, EngineNotBegun):
        return 0
    workers = said.get("workers")
    every = cast("list[dict[str, Any]]", workers) if isinstance(workers, list) else []
    return sum(one.get("is_healthy") is not False for one in every)


def sessions(engines: int) -> Iterator[dict[str, str]]:
    """Headers of sessions that most probably reach every one of so many engines."""
    for number in range(min(MOST_ASKED, _FOR_EACH * engines)):
        yield {SESSION_HEADER: f"antiphon-asks-{number}"}
