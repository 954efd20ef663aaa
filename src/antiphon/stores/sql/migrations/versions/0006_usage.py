"""What requests came to."""

import sqlalchemy as sa
from alembic import op

from antiphon.stores.sql.tables import Key, Moment, Number

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "usage_record",
        sa.Column("id", Key, primary_key=True),
        sa.Column("at", Moment, nullable=False),
        sa.Column("key", Key),
        sa.Column("workspace", Key, nullable=False),
        sa.Column("model", Key, nullable=False),
        sa.Column("tier", Key, nullable=False),
        sa.Column("window", Key, nullable=False),
        sa.Column("geo", Key, nullable=False),
        sa.Column("uncached", Number, nullable=False),
        sa.Column("read", Number, nullable=False),
        sa.Column("brief", Number, nullable=False),
        sa.Column("lasting", Number, nullable=False),
        sa.Column("output", Number, nullable=False),
        sa.Column("searches", Number, nullable=False),
    )
    op.create_index("usage_record_at", "usage_record", ["at"])
