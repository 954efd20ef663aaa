"""`[stores]`: where files and batches are kept."""

import re
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from antiphon.config.kinds import Text, TextKind, Whole
from antiphon.config.option import Table, key_of

NOWHERE: Final = "off"
"""Neither files nor batches are kept."""

_DATABASE: Final = re.compile(r"sqlite:///[^\x00-\x1f]+|postgres(?:ql)?://[!-~]+")
_OBJECTS: Final = re.compile(r"file:///[^\x00-\x1f]+|memory://|(?:s3|gs|az)://[!-~]+")


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Where files and batches are kept: in the folder `data` (None: the user's data directory), or where `database`
    and `objects` say, as URLs. `connections`: the most that one process has to the database."""

    data: str | None = None
    database: str | None = None
    objects: str | None = None
    connections: int = 8

    @property
    def kept(self) -> bool:
        """Whether there are files and batches at all."""
        return self.data != NOWHERE


@dataclass(frozen=True, slots=True)
class StoreUrl(TextKind):
    """A URL that may hold a password: an error never quotes it."""

    form: re.Pattern[str]
    wanted: str
    metavar: str = "URL"

    def from_toml(self, value: Any) -> str:
        if not isinstance(value, str) or not self.form.fullmatch(value):
            raise ValueError(f"the value is not {self.wanted}")
        return value


_key = partial(key_of, "stores", StoreSettings())

STORES: Final = Table(
    "stores",
    "What is kept: files, batches, and their rows in a database. See docs/stores.md.",
    StoreSettings,
    (
        _key(
            "data",
            Text(f"a directory, or {NOWHERE}", "DIR"),
            f"The directory for all of it; {NOWHERE} keeps nothing, and the server has neither files nor batches.",
            flag="--data",
            unset="antiphon in the user's data directory",
        ),
        _key(
            "database",
            StoreUrl(
                _DATABASE, "a URL such as sqlite:////var/lib/antiphon/antiphon.db or postgresql://db.lan/antiphon"
            ),
            "The database: a SQLite file, or a PostgreSQL for servers on several machines. A URL with a password "
            "belongs in the environment.",
            flag=None,
            unset="a SQLite file in data",
        ),
        _key(
            "objects",
            StoreUrl(_OBJECTS, "a URL such as file:///var/lib/antiphon/objects, s3://bucket/prefix, gs:// or az://"),
            "Where the bytes lie: a folder, or a bucket that the usual variables of its cloud give access to.",
            unset="a folder in data",
        ),
        _key("connections", Whole(2, 1000), "The most connections to the database that one process has."),
    ),
)
