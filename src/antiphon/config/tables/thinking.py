"""`[thinking]`: how thinking is sealed and read back."""

from dataclasses import dataclass, field
from functools import partial
from typing import Final, Literal

from antiphon.config.keys import NEW_KEY, SealingKeys
from antiphon.config.kinds import Choice, Text
from antiphon.config.option import Table, key_of

Foreign = Literal["refuse", "drop"]


@dataclass(frozen=True, slots=True)
class ThinkingSettings:
    """How thinking is sealed and read back. `keys` of 32 bytes outrank those in `key_file` (None: in the user's state
    directory). `summarizer`: the id of the served model that sums thinking up. `foreign`: what becomes of thinking
    whose seal does not open."""

    key_file: str | None = None
    keys: tuple[bytes, ...] = field(default=(), repr=False)
    summarizer: str | None = None
    foreign: Foreign = "refuse"


_key = partial(key_of, "thinking", ThinkingSettings())

THINKING: Final = Table(
    "thinking",
    "How thinking is sealed and read back.",
    ThinkingSettings,
    (
        _key(
            "key_file",
            Text("the path of a file", "PATH"),
            "File with the keys that seal thinking, one a line; made at the first start.",
            unset="antiphon/thinking.key in the user's state directory",
        ),
        _key(
            "keys",
            SealingKeys(),
            f"Keys that seal thinking, comma separated, instead of the file's: 32 bytes in base64 each ({NEW_KEY}). "
            "The first seals, all open.",
            flag=None,
        ),
        _key(
            "summarizer",
            Text("the id of a served model", "MODEL"),
            "The served model that sums up for clients what another one thought.",
            unset="clients are shown the thinking itself",
        ),
        _key(
            "foreign",
            Choice(("refuse", "drop")),
            "What happens to thinking that comes back under a seal that does not open: a 400, or it is left out.",
        ),
    ),
)
