"""The two tables of the audit log; their rows are only ever added (审计表).

A database should refuse UPDATE and DELETE on both to the service's role, but for setting ``audit_row.block`` once.
"""

from typing import NamedTuple

import sqlalchemy as sa

from shared.db.tables import KIT, Serial


class AuditTables(NamedTuple):
    """Where rows are written, and where they are sealed."""

    row: sa.Table
    block: sa.Table


def define_audit(metadata: sa.MetaData) -> AuditTables:
    """The tables on ``metadata``.

    Times are text as :func:`shared.security.audit.stamp` makes them, and ``detail`` is JSON text: what is stored is
    exactly what is hashed, whatever a driver does to times or documents.
    """
    row = sa.Table(
        "audit_row",
        metadata,
        sa.Column("seq", Serial, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
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
        sa.Index("ix_audit_row_block_seq", "block", "seq"),
    )
    block = sa.Table(
        "audit_block",
        metadata,
        sa.Column("no", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("prev_hash", sa.Text, nullable=False, unique=True),
        sa.Column("first_seq", sa.BigInteger, nullable=False),
        sa.Column("last_seq", sa.BigInteger, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("total", sa.BigInteger, nullable=False),
        sa.Column("leaves", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("sealed_at", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("signature", sa.Text, nullable=False),
    )
    return AuditTables(row, block)


audit_row, audit_block = define_audit(KIT)
