"""Keys of callers, and the workspaces that they belong to."""

import sqlalchemy as sa
from alembic import op

from antiphon.stores.sql.tables import Key, Moment

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "workspace",
        sa.Column("id", Key, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("created_at", Moment, nullable=False),
    )
    op.create_table(
        "api_key",
        sa.Column("id", Key, primary_key=True),
        sa.Column("digest", Key, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("hint", Key, nullable=False),
        sa.Column("workspace", Key, sa.ForeignKey("workspace.id"), nullable=False),
        sa.Column("admin", sa.Boolean, nullable=False),
        sa.Column("models", sa.LargeBinary),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("ends_at", Moment),
        sa.Column("revoked", sa.Boolean, nullable=False),
        sa.Column("changes", sa.Integer, nullable=False),
    )
    op.create_index("api_key_digest", "api_key", ["digest"], unique=True)
