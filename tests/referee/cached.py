"""What the caching scenario of every SDK has to come to."""

import os
from typing import Any, Final

BLOCK: Final = int(os.environ.get("TEST_ENGINE_BLOCK", "1"))
"""Tokens that the engine keeps together: of what was not read as a whole block it has nothing."""

LATE: Final = bool(os.environ.get("TEST_ENGINE_SAYS_LATE"))
"""It says what it had read before only at the end of a reply: a stream's opening counts it as read anew."""


def check_caching(told: dict[str, Any]) -> None:
    """The same prefix, marked by hand and automatically: written once, and read by every request behind it."""
    for kind in ("explicit", "automatic"):
        found = told[kind]
        rest, written, read = found["first"]
        assert (written > 64, read, found["split"]) == (True, 0, [written, 0])
        for behind in ("second", "opened", "ended", "final"):
            if LATE and behind == "opened":
                assert found[behind] == found["first"]
                continue
            fresh, again, spared = found[behind]
            assert (behind, fresh, again + spared) == (behind, rest, written)
            assert again < BLOCK, behind
        assert rest + written == found["counted"]
