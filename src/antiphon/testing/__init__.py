"""Tests of applications: the whole API in the test's own process, over a model that says what the test tells it to.

    server   the API on a port, with replies that a test plans; the pytest plugin brings it as a fixture
    record   sessions with a real server, to be played again
    app      an app on a script, or over engines of your own
    bridge   a client of it that really streams and really disconnects
    clock    a clock that stands until it is set
    dice     dice that count up

Two apps made alike answer alike, ids and seals included. What is named here is imported when it is first asked for:
pytest imports this package in every project that has Antiphon installed."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from antiphon.testing.app import engine_app, scripted_app
    from antiphon.testing.bridge import Answer, Bridge, Exchange, parse_events
    from antiphon.testing.clock import FixedClock
    from antiphon.testing.dice import CountingEntropy
    from antiphon.testing.plan import UnexpectedRequest
    from antiphon.testing.received import Received
    from antiphon.testing.record import recorded
    from antiphon.testing.said import Page, breaks_off, disconnects, hangs, thinking, tool_call, web_search
    from antiphon.testing.server import ScriptedServer

__all__ = [
    "Answer",
    "Bridge",
    "CountingEntropy",
    "Exchange",
    "FixedClock",
    "Page",
    "Received",
    "ScriptedServer",
    "UnexpectedRequest",
    "breaks_off",
    "disconnects",
    "engine_app",
    "hangs",
    "parse_events",
    "recorded",
    "scripted_app",
    "thinking",
    "tool_call",
    "web_search",
]

_PLACES: Final = {
    "app": ("engine_app", "scripted_app"),
    "bridge": ("Answer", "Bridge", "Exchange", "parse_events"),
    "clock": ("FixedClock",),
    "dice": ("CountingEntropy",),
    "plan": ("UnexpectedRequest",),
    "received": ("Received",),
    "record": ("recorded",),
    "said": ("Page", "breaks_off", "disconnects", "hangs", "thinking", "tool_call", "web_search"),
    "server": ("ScriptedServer",),
}


def __getattr__(name: str) -> Any:
    for place, names in _PLACES.items():
        if name in names:
            return getattr(import_module(f"antiphon.testing.{place}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
