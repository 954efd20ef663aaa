"""What goes between a server's owner and one who shares it: small messages, with bytes behind them.

    to the owner    {"take": N, "adapted": …, "tenant": …} with the prompt's tokens: a slot is wanted
                    {"cancel": N}: it is wanted no longer
                    {"end": N, "keep": …, "begun": …, "left": …} with the tokens written: the work in it has ended
    to the other    {"up": {"address": …, "key": …}}: the server runs there; {"down": WHY}: it does not
                    {"slot": N, "number": …, "anew": …}: the slot that was wanted
                    {"kept": {…}}: what is kept of prefixes, where anything is to be kept
                    {"full": N, "says": …, "retry_after": …}: too many wait for one

N is the asker's own number for what it takes.
"""

from array import array
from collections.abc import Callable, Sequence
from typing import Any, Final

from antiphon.engines.llamacpp.home import Left
from antiphon.ports.engine import Keep

Send = Callable[[dict[str, Any], bytes], None]
"""Sends a message, with what it carries; never waits, and does nothing when the line is cut."""

_INT32: Final = "i"


def packed(tokens: Sequence[int]) -> bytes:
    """Tokens as bytes."""
    return array(_INT32, tokens).tobytes()


def unpacked(data: bytes) -> tuple[int, ...]:
    """Tokens out of bytes."""
    tokens = array(_INT32)
    tokens.frombytes(data)
    return tuple(tokens)


def told_left(left: Left | None) -> dict[str, Any] | None:
    """What a work leaves, as JSON has it."""
    if left is None:
        return None
    return {"cached": left.cached, "keep": [[m.tokens, m.key.hex(), m.seconds, m.until] for m in left.keep]}


def heard_left(told: dict[str, Any] | None) -> Left | None:
    """What a work leaves, out of JSON."""
    if told is None:
        return None
    marks = [Keep(tokens, bytes.fromhex(key), seconds, until) for tokens, key, seconds, until in told["keep"]]
    return Left(tuple(marks), told["cached"])
