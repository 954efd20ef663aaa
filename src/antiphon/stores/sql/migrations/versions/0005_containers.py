"""Containers that code runs in."""

import sqlalchemy as sa
from alembic import op

from antiphon.stores.sql.tables import Key, Moment

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "container",
        sa.Column("id", Key, primary_key=True),
        sa.Column("tenant", Key, nullable=False),
        sa.Column("machine", Key, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
    )
    op.create_index("container_expiry", "container", ["machine", "expires_at"])
