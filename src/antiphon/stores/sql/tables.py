"""What the tables of all subjects share: one schema, and types that mean the same in both databases.

Text that a client chose freely, in which PostgreSQL refuses some characters, is kept as bytes (`LargeBinary`).
"""

import importlib
import pkgutil
from typing import Final

from sqlalchemy import BigInteger, Column, Integer, MetaData, String, Table

import antiphon.stores.sql as subjects

metadata: Final = MetaData()
"""Every table there is, once the modules of the subjects are imported: see `whole_schema`."""

Number: Final = BigInteger().with_variant(Integer(), "sqlite")
"""A whole number of 64 bits; as a primary key, SQLite counts it up by itself."""

Moment: Final = Number
"""Microseconds since the Unix epoch, see `micros`; both databases order them alike."""

Key: Final = String().with_variant(String(collation="C"), "postgresql")
"""An id of ASCII letters; both databases order it by its bytes."""

MICROS: Final = 1_000_000


def whole_schema(dialect: str = "") -> MetaData:
    """`metadata` with the tables of every subject. `dialect`: in which they are to be made, if they are."""
    for module in pkgutil.iter_modules(subjects.__path__):
        importlib.import_module(f"{subjects.__name__}.{module.name}")
    if dialect == "postgresql":
        # Said where the index is made, it would load all that SQLAlchemy knows of PostgreSQL into every server.
        for index in (index for table in metadata.tables.values() for index in table.indexes):
            if (where := index.dialect_options["sqlite"]["where"]) is not None:
                index.kwargs["postgresql_where"] = where
    return metadata


def is_key(id_: str) -> bool:
    """Whether a client's id may be a `Key` at all: PostgreSQL takes no text with the character 0."""
    return id_.isascii() and id_.isprintable()


def micros(seconds: float) -> int:
    """A clock's seconds as a `Moment`."""
    return round(seconds * MICROS)


def seconds(moment: int) -> float:
    """A `Moment` as a clock's seconds."""
    return moment / MICROS


leases: Final = Table(
    "lease",
    metadata,
    Column("name", Key, primary_key=True),
    Column("holder", Key, nullable=False),
    Column("taken", Moment, nullable=False),
    Column("until", Moment, nullable=False),
)
"""What only one process does at a time, and which one it is until when."""
