"""The tables of batches."""

from typing import Final

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, PrimaryKeyConstraint, Table

from antiphon.stores.sql.tables import Key, Moment, Number, metadata

WAITING: Final = 0
TAKEN: Final = 1
OVER: Final = 2

batches: Final = Table(
    "batch",
    metadata,
    Column("key", Number, primary_key=True),
    Column("id", Key, nullable=False, unique=True),
    Column("tenant", Key, nullable=False),
    # What the headers of its call said, as JSON.
    Column("said", LargeBinary, nullable=False),
    Column("complete", Boolean, nullable=False),
    Column("total", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("cancel_initiated_at", Moment),
    Column("archived_at", Moment),
    Column("succeeded", Integer, nullable=False),
    Column("errored", Integer, nullable=False),
    Column("canceled", Integer, nullable=False),
    Column("expired", Integer, nullable=False),
)

requests: Final = Table(
    "batch_request",
    metadata,
    Column("batch", Number, nullable=False),
    Column("number", Integer, nullable=False),
    Column("custom_id", Key, nullable=False),
    Column("prefix", Key, nullable=False),
    Column("state", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("owner", Key),
    Column("until", Moment),
    # Its body as it came, until it is over.
    Column("params", LargeBinary),
    # What it came to, as it stands in the results.
    Column("result", LargeBinary),
    PrimaryKeyConstraint("batch", "number"),
)


Index("batch_of_tenant", batches.c.tenant, batches.c.created_at, batches.c.key)
# Few of those that are kept; PostgreSQL is told of it by `whole_schema`.
Index("batch_running", batches.c.created_at, sqlite_where=batches.c.ended_at.is_(None))
Index("batch_request_next", requests.c.batch, requests.c.state, requests.c.prefix, requests.c.number)
Index("batch_request_taken", requests.c.owner, sqlite_where=requests.c.owner.is_not(None))
