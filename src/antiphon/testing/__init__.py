"""Tests of applications: the whole API in the test's own process, over a model that says what a script tells it to.

    app      an app on a script, or over engines of your own
    bridge   a client of it that really streams and really disconnects
    clock    a clock that stands until it is set
    dice     dice that count up

Two apps made alike answer alike, ids and seals included."""

from antiphon.testing.app import engine_app, scripted_app
from antiphon.testing.bridge import Answer, Bridge, Exchange, parse_events
from antiphon.testing.clock import FixedClock
from antiphon.testing.dice import CountingEntropy

__all__ = [
    "Answer",
    "Bridge",
    "CountingEntropy",
    "Exchange",
    "FixedClock",
    "engine_app",
    "parse_events",
    "scripted_app",
]
