"""Batches and their requests."""

import sqlalchemy as sa
from alembic import op

from antiphon.stores.sql.tables import Key, Moment, Number

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "batch",
        sa.Column("key", Number, primary_key=True),
        sa.Column("id", Key, nullable=False, unique=True),
        sa.Column("tenant", Key, nullable=False),
        sa.Column("said", sa.LargeBinary, nullable=False),
        sa.Column("complete", sa.Boolean, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.Column("ended_at", Moment),
        sa.Column("cancel_initiated_at", Moment),
        sa.Column("archived_at", Moment),
        sa.Column("succeeded", sa.Integer, nullable=False),
        sa.Column("errored", sa.Integer, nullable=False),
        sa.Column("canceled", sa.Integer, nullable=False),
        sa.Column("expired", sa.Integer, nullable=False),
    )
    op.create_table(
        "batch_request",
        sa.Column("batch", Number, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("custom_id", Key, nullable=False),
        sa.Column("prefix", Key, nullable=False),
        sa.Column("state", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("owner", Key),
        sa.Column("until", Moment),
        sa.Column("params", sa.LargeBinary),
        sa.Column("result", sa.LargeBinary),
        sa.PrimaryKeyConstraint("batch", "number"),
    )
    running, taken = sa.text("ended_at IS NULL"), sa.text("owner IS NOT NULL")
    op.create_index("batch_of_tenant", "batch", ["tenant", "created_at", "key"])
    op.create_index("batch_running", "batch", ["created_at"], sqlite_where=running, postgresql_where=running)
    op.create_index("batch_request_next", "batch_request", ["batch", "state", "prefix", "number"])
    op.create_index("batch_request_taken", "batch_request", ["owner"], sqlite_where=taken, postgresql_where=taken)
