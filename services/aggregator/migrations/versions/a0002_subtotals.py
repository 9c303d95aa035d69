"""Subtotals of the units inside the tree, and what is still to be carried up to them."""

import sqlalchemy as sa
from alembic import op

revision = "a0002"
down_revision = "a0001"
branch_labels = None
depends_on = None

Serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SUMS = ("n", "numerator", "denominator")


def _sums() -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in SUMS]


def _key() -> list[sa.Column[object]]:
    return [
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
    ]


def upgrade() -> None:
    op.create_table(
        "carry",
        sa.Column("seq", Serial, nullable=False, autoincrement=True),
        *_key(),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("bucket", sa.Integer(), nullable=False),
        *_sums(),
        sa.PrimaryKeyConstraint("seq", name="pk_carry"),
    )
    op.create_table(
        "subtotal",
        *_key(),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("bucket", sa.Integer(), nullable=False),
        *_sums(),
        sa.PrimaryKeyConstraint("generation", "metric", "unit", "day", "bucket", name="pk_subtotal"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "subtotal_second",
        *_key(),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("second", sa.Integer(), nullable=False),
        *_sums(),
        sa.PrimaryKeyConstraint("generation", "metric", "unit", "day", "second", name="pk_subtotal_second"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "unit_place",
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("unit", name="pk_unit_place"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "unit_above",
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("above", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("unit", "above", name="pk_unit_above"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "subtotal_lock",
        sa.Column("id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_subtotal_lock"),
    )
    if op.get_bind().dialect.name == "postgresql":
        # A queue table churns: vacuum by a fixed count, not by a share of its size.
        op.execute("ALTER TABLE carry SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000)")
    # A service level no longer looks up waits in the facts; the pages still read the visits of a branch by day.
    op.create_index("ix_fact_visit_day", "fact_visit", ["unit", "business_date"])
    op.drop_index("ix_fact_visit_wait", "fact_visit")


def downgrade() -> None:
    op.create_index("ix_fact_visit_wait", "fact_visit", ["unit", "business_date", "wait_seconds"])
    op.drop_index("ix_fact_visit_day", "fact_visit")
    for name in ("subtotal_lock", "unit_above", "unit_place", "subtotal_second", "subtotal", "carry"):
        op.drop_table(name)
