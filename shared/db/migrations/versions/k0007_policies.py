"""Policies: deadlines, weights and thresholds with a date from which they hold."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "k0007"
down_revision = "k0006"
branch_labels = None
depends_on = None

Instant = sqlmodel.sql.sqltypes.UTCDateTime


def upgrade() -> None:
    op.create_table(
        "policy",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("effective_from", Instant, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("approved_by", sa.Text, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_policy"),
        sa.UniqueConstraint("kind", "unit", "effective_from", name="uq_policy_kind_unit_effective_from"),
    )


def downgrade() -> None:
    op.drop_table("policy")
