"""Kiosks: numbers on loan, what they reported, calls for help; devices and their short tokens."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "q0003"
down_revision = "q0002"
branch_labels = None
depends_on = None

Instant = sqlmodel.sql.sqltypes.UTCDateTime
_OPEN = sa.text("answered_at IS NULL")
_CODED = sa.text("code IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "kiosk_lease",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("issued_at", Instant, nullable=False),
        sa.Column("expires_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_kiosk_lease"),
    )
    op.create_table(
        "kiosk_action",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("visit", sa.Text(), nullable=True),
        sa.Column("device_time", Instant, nullable=False),
        sa.Column("occurred_at", Instant, nullable=False),
        sa.Column("skew_seconds", sa.Integer(), nullable=False),
        sa.Column("received_at", Instant, nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint("kind IN ('issue', 'help')", name="ck_kiosk_action_kind"),
        sa.CheckConstraint("result IN ('applied', 'rejected')", name="ck_kiosk_action_result"),
        sa.PrimaryKeyConstraint("id", name="pk_kiosk_action"),
    )
    op.create_table(
        "help_call",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("asked_at", Instant, nullable=False),
        sa.Column("answered_at", Instant, nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_help_call"),
    )
    op.create_index(
        "ix_help_call_unit", "help_call", ["unit"], unique=False, sqlite_where=_OPEN, postgresql_where=_OPEN
    )
    op.create_table(
        "device",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("code_ends_at", Instant, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("enrolled_by", sa.Text(), nullable=True),
        sa.Column("enrolled_at", Instant, nullable=True),
        sa.Column("revoked_at", Instant, nullable=True),
        sa.Column("seen_at", Instant, nullable=True),
        sa.Column("silent", sa.Boolean(), nullable=False),
        sa.Column("build", sa.Text(), nullable=True),
        sa.Column("outbox", sa.Integer(), nullable=True),
        sa.Column("lease_left", sa.Integer(), nullable=True),
        sa.CheckConstraint("kind IN ('kiosk', 'board')", name="ck_device_kind"),
        sa.CheckConstraint("state IN ('pending', 'active', 'revoked')", name="ck_device_state"),
        sa.PrimaryKeyConstraint("id", name="pk_device"),
        sa.UniqueConstraint("secret_hash", name="uq_device_secret_hash"),
    )
    op.create_index("ix_device_code", "device", ["code"], unique=True, sqlite_where=_CODED, postgresql_where=_CODED)
    op.create_index("ix_device_unit", "device", ["unit"], unique=False)
    op.create_table(
        "device_token",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=True),
        sa.Column("sub", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("expires_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_device_token"),
    )
    op.create_index("ix_device_token_expires_at", "device_token", ["expires_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_device_token_expires_at", table_name="device_token")
    op.drop_table("device_token")
    op.drop_index("ix_device_unit", table_name="device")
    op.drop_index("ix_device_code", table_name="device", sqlite_where=_CODED, postgresql_where=_CODED)
    op.drop_table("device")
    op.drop_index("ix_help_call_unit", table_name="help_call", sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.drop_table("help_call")
    op.drop_table("kiosk_action")
    op.drop_table("kiosk_lease")
