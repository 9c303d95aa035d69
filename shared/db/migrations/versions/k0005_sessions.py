"""Sessions of the pages."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "k0005"
down_revision = "k0004"
branch_labels = None
depends_on = None

Instant = sqlmodel.sql.sqltypes.UTCDateTime


def upgrade() -> None:
    op.create_table(
        "web_session",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("sub", sa.Text, nullable=False),
        sa.Column("staff", sa.Text),
        sa.Column("roles", sa.Text, nullable=False),
        sa.Column("units", sa.Text, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("seen_at", Instant, nullable=False),
        sa.Column("ends_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_web_session"),
    )
    op.create_index("ix_web_session_ends_at", "web_session", ["ends_at"])


def downgrade() -> None:
    op.drop_table("web_session")
