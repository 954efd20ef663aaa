"""`[batches]`: message batches, which run beside what somebody waits for."""

from dataclasses import dataclass
from functools import partial
from typing import Final

from antiphon.config.kinds import Number, Whole
from antiphon.config.option import Table, key_of


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """How batches run here: at most so many of their requests at once (`concurrency`; 0: none), which are left to
    others where nothing was heard of the server for `lease` seconds."""

    concurrency: int = 16
    lease: float = 30.0


_key = partial(key_of, "batches", BatchSettings())

BATCHES: Final = Table(
    "batches",
    "Message batches, which run beside what somebody waits for. See docs/batches.md.",
    BatchSettings,
    (
        _key(
            "concurrency",
            Whole(0, 1024),
            "Requests of batches that run at once at most, in each process that answers; they give way to what "
            "somebody waits for. 0 = none run here: batches are taken, and left to other servers of the database.",
        ),
        _key(
            "lease",
            Number(1, 3600, "SECONDS"),
            "Seconds after which the requests of a server that has died are run by others, or by itself once it is "
            "back.",
        ),
    ),
)
