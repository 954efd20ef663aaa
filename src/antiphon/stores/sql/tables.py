"""What the tables of all subjects share: one schema, and types that mean the same in both databases.

Text that a client chose freely, in which PostgreSQL refuses some characters, is kept as bytes (`LargeBinary`).
"""

from typing import Final

from sqlalchemy import BigInteger, Column, Integer, MetaData, String, Table

metadata: Final = MetaData()
"""Every table there is, once the modules of the subjects are imported."""

Number: Final = BigInteger().with_variant(Integer(), "sqlite")
"""A whole number of 64 bits; as a primary key, SQLite counts it up by itself."""

Moment: Final = Number
"""Microseconds since the Unix epoch, see `micros`; both databases order them alike."""

Key: Final = String().with_variant(String(collation="C"), "postgresql")
"""An id of ASCII letters; both databases order it by its bytes."""

MICROS: Final = 1_000_000


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
