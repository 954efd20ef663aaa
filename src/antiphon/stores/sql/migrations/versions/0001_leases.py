"""Who does what only one process does at a time."""

import sqlalchemy as sa
from alembic import op

from antiphon.stores.sql.tables import Key, Moment

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "lease",
        sa.Column("name", Key, primary_key=True),
        sa.Column("holder", Key, nullable=False),
        sa.Column("taken", Moment, nullable=False),
        sa.Column("until", Moment, nullable=False),
    )
