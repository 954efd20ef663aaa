"""One reply of an engine, from the request to its last event, with every fault in it raised."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, cast

import orjson

from antiphon.engines.remote.connection import Connection, refusal
from antiphon.engines.remote.dialects.ask import Ask, Dialect, Event, Heard
from antiphon.errors import EngineDied, EngineFault


def listen(
    connection: Connection, dialect: Dialect, ask: Ask, headers: Mapping[str, str] | None = None
) -> AsyncGenerator[Heard, None]:
    """What is heard; closing the generator closes the connection.

    What an engine finds wrong late comes in a reply with status 200. Before any token it is what it would have been
    as a status of its own; behind one the engine was lost in the middle of a reply.
    """
    return connection.heard(dialect.path, dialect.body(ask), _Listening(dialect, ask), headers=headers)


class _Listening:
    """See `Hears`; all of a stream is heard, and whether it came to its end is for the caller to see."""

    over = False

    def __init__(self, dialect: Dialect, ask: Ask) -> None:
        self._path = dialect.path
        self._hear = dialect.listener()
        self._stops = ask.stops
        self._begun = False

    def __call__(self, event: Event) -> Sequence[Heard]:
        if event.get("error") is not None:
            raise _fault(_code(event["error"]), event, begun=self._begun)
        try:
            heard = self._hear(event)
        except (TypeError, ValueError, AttributeError, KeyError, IndexError) as problem:
            raise EngineDied(f"{self._path} sent an event of another kind: {str(event)[:200]}") from problem
        if heard.fault is not None:
            status, words = heard.fault
            raise _fault(status, {"error": {"message": words}}, begun=self._begun)
        if heard.matched is not None and heard.matched not in self._stops:
            # SGLang's "NaN happened", where the model's numbers are none any more.
            raise EngineDied(f"{self._path} ended with a text that it was not asked for: {heard.matched[:200]!r}")
        self._begun = self._begun or bool(heard.tokens)
        return (heard,)

    def end(self) -> None:
        pass


def _code(error: object) -> int:
    code = cast("dict[str, Any]", error).get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) and 400 <= code < 600 else 500


def _fault(status: int, event: Mapping[str, Any], *, begun: bool) -> EngineFault:
    fault = refusal(status, orjson.dumps(event))
    return EngineDied(f"in the middle of a reply {fault}") if begun else fault
