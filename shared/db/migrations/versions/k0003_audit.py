"""The audit log: rows written with the business, blocks sealed behind them."""

import sqlalchemy as sa
from alembic import op

revision = "k0003"
down_revision = "k0002"
branch_labels = None
depends_on = None

Serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "audit_row",
        sa.Column("seq", Serial, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("object_type", sa.Text, nullable=False),
        sa.Column("object_id", sa.Text, nullable=False),
        sa.Column("unit", sa.Text),
        sa.Column("purpose", sa.Text),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("trace_id", sa.Text),
        sa.Column("block", sa.BigInteger),
        sa.UniqueConstraint("id", name="uq_audit_row_id"),
    )
    op.create_index("ix_audit_row_block_seq", "audit_row", ["block", "seq"])
    op.create_table(
        "audit_block",
        sa.Column("no", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("prev_hash", sa.Text, nullable=False),
        sa.Column("first_seq", sa.BigInteger, nullable=False),
        sa.Column("last_seq", sa.BigInteger, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("total", sa.BigInteger, nullable=False),
        sa.Column("leaves", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("sealed_at", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("signature", sa.Text, nullable=False),
        sa.UniqueConstraint("prev_hash", name="uq_audit_block_prev_hash"),
    )


def downgrade() -> None:
    op.drop_table("audit_block")
    op.drop_table("audit_row")
