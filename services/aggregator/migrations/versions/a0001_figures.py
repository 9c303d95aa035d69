"""The aggregator's first tables: facts, cells, rollups."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "a0001"
down_revision = None
branch_labels = ("aggregator",)
depends_on = None

Instant = sqlmodel.sql.sqltypes.UTCDateTime
Bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "fact_visit",
        sa.Column("visit", Bytewise, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("ticket_class", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("issued_at", Instant, nullable=False),
        sa.Column("called_at", Instant, nullable=True),
        sa.Column("started_at", Instant, nullable=True),
        sa.Column("finished_at", Instant, nullable=True),
        sa.Column("left_at", Instant, nullable=True),
        sa.Column("wait_seconds", sa.Integer(), nullable=True),
        sa.Column("handling_seconds", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("visit", name="pk_fact_visit"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_fact_visit_wait", "fact_visit", ["unit", "business_date", "wait_seconds"])
    op.create_table(
        "fact_response",
        sa.Column("invitation", Bytewise, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("visit", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("ticket_class", sa.Text(), nullable=False),
        sa.Column("questionnaire", sa.Text(), nullable=False),
        sa.Column("questionnaire_version", sa.Integer(), nullable=False),
        sa.Column("invited_at", Instant, nullable=False),
        sa.Column("responded_at", Instant, nullable=True),
        sa.Column("answers", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("invitation", name="pk_fact_response"),
        sqlite_with_rowid=False,
    )
    sums = ("n", "numerator", "denominator")
    op.create_table(
        "cell",
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("bucket", sa.Integer(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("ticket_class", sa.Text(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in sums),
        sa.PrimaryKeyConstraint(
            "generation", "metric", "unit", "day", "bucket", "service", "ticket_class", name="pk_cell"
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "rollup",
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("stripe", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in sums),
        sa.PrimaryKeyConstraint("generation", "day", "metric", "stripe", name="pk_rollup"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "cell_state",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("active", sa.Integer(), nullable=False),
        sa.Column("versions", sa.Text(), nullable=False),
        sa.Column("spoiled", sa.Boolean(), nullable=False),
        sa.Column("building", sa.Integer(), nullable=True),
        sa.Column("building_versions", sa.Text(), nullable=True),
        sa.Column("stage", sa.Integer(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.CheckConstraint("id = 'cells'", name="ck_cell_state_single"),
        sa.PrimaryKeyConstraint("id", name="pk_cell_state"),
    )


def downgrade() -> None:
    for name in ("cell_state", "rollup", "cell", "fact_response", "fact_visit"):
        op.drop_table(name)
