"""What screens that stay open are told."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "k0006"
down_revision = "k0005"
branch_labels = None
depends_on = None

Instant = sqlmodel.sql.sqltypes.UTCDateTime


def upgrade() -> None:
    op.create_table(
        "live_head",
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("topic", name="pk_live_head"),
    )
    op.create_table(
        "live_feed",
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("topic", "seq", name="pk_live_feed"),
    )
    op.create_index("ix_live_feed_at", "live_feed", ["at"])


def downgrade() -> None:
    op.drop_table("live_feed")
    op.drop_table("live_head")
