"""One reply of an engine, from the request to its last event, with every fault in it raised."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, cast

import orjson

from antiphon.engines.remote.connection import Connection, refusal
from antiphon.engines.remote.dialects.ask import Ask, Dialect, Heard
from antiphon.errors import EngineDied, EngineFault


async def listen(
    connection: Connection, dialect: Dialect, ask: Ask, headers: Mapping[str, str] | None = None
) -> AsyncGenerator[Heard, None]:
    """What is heard; closing the generator closes the connection.

    What an engine finds wrong late comes in a reply with status 200. Before any token it is what it would have been
    as a status of its own; behind one the engine was lost in the middle of a reply.
    """
    hear, begun = dialect.listener(), False
    async with aclosing(connection.events(dialect.path, dialect.body(ask), headers=headers)) as events:
        async for event in events:
            if event.get("error") is not None:
                raise _fault(_code(event["error"]), event, begun=begun)
            try:
                heard = hear(event)
            except (TypeError, ValueError, AttributeError, KeyError, IndexError) as problem:
                raise EngineDied(f"{dialect.path} sent an event of another kind: {str(event)[:200]}") from problem
            if heard.fault is not None:
                status, words = heard.fault
                raise _fault(status, {"error": {"message": words}}, begun=begun)
            if heard.matched is not None and heard.matched not in ask.stops:
                # SGLang's "NaN happened", where the model's numbers are none any more.
                raise EngineDied(
                    f"{dialect.path} ended with a text that it was not asked for: {heard.matched[:200]!r}"
                )
            begun = begun or bool(heard.tokens)
            yield heard


def _code(error: object) -> int:
    code = cast("dict[str, Any]", error).get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) and 400 <= code < 600 else 500


def _fault(status: int, event: Mapping[str, Any], *, begun: bool) -> EngineFault:
    fault = refusal(status, orjson.dumps(event))
    return EngineDied(f"in the middle of a reply {fault}") if begun else fault
