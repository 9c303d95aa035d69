"""Totals and the additions behind them."""

import sqlalchemy as sa
from alembic import op

revision = "y0001"
down_revision = None
branch_labels = ("tally",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "total",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.CheckConstraint("amount >= 0", name="ck_total_amount"),
    )
    op.create_table(
        "addition",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("addition")
    op.drop_table("total")
