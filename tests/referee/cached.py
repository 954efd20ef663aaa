"""What the caching scenario of every SDK has to come to."""

from typing import Any


def check_caching(told: dict[str, Any]) -> None:
    """The same prefix, marked by hand and automatically: written once, and read by every request behind it."""
    for kind in ("explicit", "automatic"):
        found = told[kind]
        rest, written, read = found["first"]
        assert (written > 64, read, found["split"]) == (True, 0, [written, 0])
        assert found["second"] == found["opened"] == found["ended"] == found["final"] == [rest, 0, written]
        assert rest + written == found["counted"]
