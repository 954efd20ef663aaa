"""Files that clients upload and tools make."""

import sqlalchemy as sa
from alembic import op

from antiphon.stores.sql.tables import Key, Moment, Number

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "file",
        sa.Column("id", Key, primary_key=True),
        sa.Column("tenant", Key, nullable=False),
        sa.Column("filename", sa.Text, nullable=False),
        sa.Column("mime_type", sa.Text, nullable=False),
        sa.Column("size", Number, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("key", Key, nullable=False),
        sa.Column("digest", Key, nullable=False),
        sa.Column("downloadable", sa.Boolean, nullable=False),
        sa.Column("expires_at", Moment),
        sa.Column("gone", sa.Boolean, nullable=False),
        sa.Column("removed_at", Moment),
    )
    op.create_index("file_list", "file", ["tenant", "created_at", "id"])
    op.create_index("file_key", "file", ["key"], unique=True)
    op.create_index("file_expiry", "file", ["expires_at"])
    op.create_index("file_total", "file", ["removed_at", "gone", "size"])
