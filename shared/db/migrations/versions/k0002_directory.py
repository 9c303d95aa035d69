"""The replica of the organisation: units, people, qualifications."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "k0002"
down_revision = "k0001"
branch_labels = None
depends_on = None

Instant = sqlmodel.sql.sqltypes.UTCDateTime
Bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "dir_unit",
        sa.Column("unit", sa.Text, primary_key=True),
        sa.Column("parent", sa.Text),
        sa.Column("path", Bytewise, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("cutoff", sa.Text, nullable=False),
        sa.Column("valid_from", Instant, nullable=False),
        sa.Column("valid_to", Instant),
        sa.Column("sequence", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_dir_unit_path", "dir_unit", ["path"])
    op.create_table(
        "dir_person",
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("post", sa.Text, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "dir_qualification",
        sa.Column("qualification", sa.Text, primary_key=True),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("valid_from", Instant, nullable=False),
        sa.Column("valid_to", Instant, nullable=False),
        sa.Column("revoked_at", Instant),
        sa.Column("sequence", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_dir_qualification_person_code", "dir_qualification", ["person", "code"])


def downgrade() -> None:
    for name in ("dir_qualification", "dir_person", "dir_unit"):
        op.drop_table(name)
