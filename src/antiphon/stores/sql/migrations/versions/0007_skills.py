"""Skills, and their versions."""

import sqlalchemy as sa
from alembic import op

from antiphon.stores.sql.tables import Key, Moment, Number

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "skill",
        sa.Column("id", Key, primary_key=True),
        sa.Column("tenant", Key, nullable=False),
        sa.Column("name", Key, nullable=False),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
    )
    op.create_index("skill_list", "skill", ["tenant", "created_at", "id"])
    op.create_table(
        "skill_version",
        sa.Column("id", Key, primary_key=True),
        sa.Column("skill_id", Key, sa.ForeignKey("skill.id"), nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("key", Key, nullable=False),
        sa.Column("digest", Key, nullable=False),
        sa.Column("size", Number, nullable=False),
    )
    op.create_index("skill_version_list", "skill_version", ["skill_id", "created_at"], unique=True)
    op.create_index("skill_version_key", "skill_version", ["key"], unique=True)
