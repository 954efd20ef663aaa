"""`[message_threads]`: conversations that the server keeps for a while, so that clients need not send them again."""

import re
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from antiphon.config.kinds import Number, TextKind, Whole
from antiphon.config.option import Table, key_of

MEMORY: Final = "memory"
"""The store that lies in the server itself."""

OFF: Final = "off"
"""No store: clients are told to do without threads."""

_URL: Final = re.compile(r"(?:redis|rediss|valkey|valkeys|unix)://[!-~]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class ThreadSettings:
    """Where conversations of message threads are kept (`store`: `memory`, `off` or the URL of a Redis or Valkey
    server), for how many seconds from their last use, and in how many bytes of the server's own memory."""

    store: str = MEMORY
    lifetime: float = 300.0
    memory: int = 128 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Store(TextKind):
    """A word, or a URL that may hold a password: an error never quotes it."""

    wanted: str = f"{MEMORY}, {OFF}, or a URL such as redis://127.0.0.1:6379/0 or valkey://cache.lan"
    metavar: str = "STORE"

    def from_toml(self, value: Any) -> str:
        if not isinstance(value, str) or not (value in (MEMORY, OFF) or _URL.fullmatch(value)):
            raise ValueError(f"the value is not {self.wanted}")
        return value


_key = partial(key_of, "message_threads", ThreadSettings())

MESSAGE_THREADS: Final = Table(
    "message_threads",
    "Message threads: conversations that are kept for a while, so that clients send only what is new.",
    ThreadSettings,
    (
        _key(
            "store",
            Store(),
            "Where they are kept: memory is the server's own, off keeps none, the URL of a Redis or Valkey server is "
            "for several servers behind one address. A URL with a password belongs in the environment.",
            flag=None,
        ),
        _key("lifetime", Number(1, 86_400, "SECONDS"), "Seconds from its last use for which a conversation is kept."),
        _key(
            "memory",
            Whole(0, None, "BYTES"),
            "The server's own memory for them; those that nobody has asked for longest go first.",
        ),
    ),
)
