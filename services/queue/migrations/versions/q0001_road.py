"""The queue's first tables: catalogue, windows, visits, quote parameters."""

import json
from datetime import UTC, datetime

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "q0001"
down_revision = None
branch_labels = ("queue",)
depends_on = None

Instant = sqlmodel.sql.sqltypes.UTCDateTime

START = {
    "mean_service_seconds": 190,
    "mean_rate": 0.002,
    "longest_service_seconds": 3600,
    "p50": {"factor": 0.7, "ahead": 0.9, "servers": -0.9},
    "p80": {"factor": 1.6, "ahead": 0.8, "servers": -0.9},
}


def upgrade() -> None:
    op.create_table(
        "branch_service",
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("unit", "service", name="pk_branch_service"),
    )
    op.create_table(
        "hall",
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("unit", name="pk_hall"),
    )
    op.create_table(
        "override",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("staff", sa.Text(), nullable=False),
        sa.Column("qualification", sa.Text(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("granted_by", sa.Text(), nullable=False),
        sa.Column("granted_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_override"),
    )
    op.create_index("ix_override_unit_staff", "override", ["unit", "staff", "business_date"], unique=False)
    op.create_table(
        "quote_model",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("effective_from", Instant, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_quote_model"),
    )
    op.create_table(
        "service",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("required_qualification", sa.Text(), nullable=True),
        sa.Column("expected_minutes", sa.Integer(), nullable=False),
        sa.Column("materials", sa.Text(), nullable=False),
        sa.Column("steps", sa.Text(), nullable=False),
        sa.Column("updated_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("code", name="pk_service"),
        sa.UniqueConstraint("prefix", name="uq_service_prefix"),
    )
    op.create_table(
        "service_version",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("effective_from", Instant, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("published_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", "version", name="pk_service_version"),
    )
    op.create_table(
        "ticket_class",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("effective_from", Instant, nullable=False),
        sa.Column("head_start_seconds", sa.Integer(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.CheckConstraint("head_start_seconds BETWEEN 0 AND 7200", name="ck_ticket_class_head_start"),
        sa.PrimaryKeyConstraint("code", "effective_from", name="pk_ticket_class"),
    )
    op.create_table(
        "ticket_counter",
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("unit", "business_date", "prefix", name="pk_ticket_counter"),
    )
    op.create_table(
        "visit",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("ticket_class", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("issued_at", Instant, nullable=False),
        sa.Column("order_at", Instant, nullable=False),
        sa.Column("called_at", Instant, nullable=True),
        sa.Column("started_at", Instant, nullable=True),
        sa.Column("finished_at", Instant, nullable=True),
        sa.Column("left_at", Instant, nullable=True),
        sa.Column("end_cause", sa.Text(), nullable=True),
        sa.Column("wait_seconds", sa.Integer(), nullable=True),
        sa.Column("handling_seconds", sa.Integer(), nullable=True),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("window", sa.Text(), nullable=True),
        sa.Column("staff", sa.Text(), nullable=True),
        sa.Column("staff_external", sa.Text(), nullable=True),
        sa.Column("quote_p50", sa.Integer(), nullable=True),
        sa.Column("quote_p80", sa.Integer(), nullable=True),
        sa.Column("token_hash", sa.Text(), nullable=True),
        sa.Column("contact", sa.Text(), nullable=True),
        sa.Column("content", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "status IN ('waiting', 'called', 'serving', 'served', 'no_show', 'left')", name="ck_visit_status"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_visit"),
        sa.UniqueConstraint("token_hash", name="uq_visit_token_hash"),
        sa.UniqueConstraint("unit", "business_date", "number", name="uq_visit_unit_business_date_number"),
    )
    op.create_index(
        "ix_visit_open",
        "visit",
        ["business_date", "unit"],
        unique=False,
        sqlite_where=sa.text("status IN ('waiting', 'called')"),
        postgresql_where=sa.text("status IN ('waiting', 'called')"),
    )
    op.create_index(
        "ix_visit_waiting",
        "visit",
        ["unit", "business_date", "order_at", "id", "service", "status"],
        unique=False,
        sqlite_where=sa.text("status = 'waiting'"),
        postgresql_where=sa.text("status = 'waiting'"),
    )
    op.create_table(
        "window",
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("no", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("configured", sa.Text(), nullable=True),
        sa.Column("staff", sa.Text(), nullable=True),
        sa.Column("visit", sa.Text(), nullable=True),
        sa.Column("opened_at", Instant, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("(state = 'closed') = (staff IS NULL)", name="ck_window_staffed"),
        sa.CheckConstraint("state IN ('closed', 'open', 'break')", name="ck_window_state"),
        sa.PrimaryKeyConstraint("unit", "no", name="pk_window"),
    )
    op.create_index(
        "ix_window_staff",
        "window",
        ["staff"],
        unique=True,
        sqlite_where=sa.text("staff IS NOT NULL"),
        postgresql_where=sa.text("staff IS NOT NULL"),
    )
    op.create_table(
        "window_service",
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("no", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("unit", "no", "service", name="pk_window_service"),
    )
    op.create_index("ix_window_service_unit_service", "window_service", ["unit", "service"], unique=False)

    # The start values of the wait quote (0.7, 0.9, -0.9 and 1.6, 0.8, -0.9 over a mean service of 190 s).
    op.execute(
        sa.text("INSERT INTO quote_model (version, effective_from, body) VALUES (1, :start, :body)").bindparams(
            sa.bindparam("start", datetime(2000, 1, 1, tzinfo=UTC), type_=Instant()),
            body=json.dumps(START),
        )
    )


def downgrade() -> None:
    op.drop_index("ix_window_service_unit_service", table_name="window_service")
    op.drop_table("window_service")
    op.drop_index(
        "ix_window_staff",
        table_name="window",
        sqlite_where=sa.text("staff IS NOT NULL"),
        postgresql_where=sa.text("staff IS NOT NULL"),
    )
    op.drop_table("window")
    op.drop_index(
        "ix_visit_waiting",
        table_name="visit",
        sqlite_where=sa.text("status = 'waiting'"),
        postgresql_where=sa.text("status = 'waiting'"),
    )
    op.drop_index(
        "ix_visit_open",
        table_name="visit",
        sqlite_where=sa.text("status IN ('waiting', 'called')"),
        postgresql_where=sa.text("status IN ('waiting', 'called')"),
    )
    op.drop_table("visit")
    op.drop_table("ticket_counter")
    op.drop_table("ticket_class")
    op.drop_table("service_version")
    op.drop_table("service")
    op.drop_table("quote_model")
    op.drop_index("ix_override_unit_staff", table_name="override")
    op.drop_table("override")
    op.drop_table("hall")
    op.drop_table("branch_service")
