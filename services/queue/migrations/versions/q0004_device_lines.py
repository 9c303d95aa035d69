"""Which of a device's tokens speaks, to notice two machines that hold its one key."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "q0004"
down_revision = "q0003"
branch_labels = None
depends_on = None

Instant = sqlmodel.sql.sqltypes.UTCDateTime


def upgrade() -> None:
    op.create_table(
        "device_line",
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("newest", Instant, nullable=False),
        sa.Column("since", Instant, nullable=False),
        sa.Column("twice_at", Instant, nullable=True),
        sa.PrimaryKeyConstraint("device", name="pk_device_line"),
    )


def downgrade() -> None:
    op.drop_table("device_line")
