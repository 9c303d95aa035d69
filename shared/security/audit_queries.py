"""Every statement on the audit log."""

import sqlalchemy as sa

from shared.db.statements import insert
from shared.security.audit_models import audit_block, audit_row

_row, _block = audit_row.c, audit_block.c
_limit = sa.bindparam("limit", type_=sa.Integer)

ADD_ROW = insert(audit_row, without=("seq", "block"))
ADD_BLOCK = insert(audit_block)

LAST_BLOCK = sa.select(audit_block).order_by(_block.no.desc()).limit(1)
HIGHEST_SEALED = sa.select(sa.func.max(_row.block))
UNSEALED = sa.select(audit_row).where(_row.block.is_(None)).order_by(_row.seq).limit(_limit)
COUNT_UNSEALED = sa.select(sa.func.count()).select_from(audit_row).where(_row.block.is_(None))

MARK_SEALED = (
    sa.update(audit_row)
    .where(_row.seq == sa.bindparam("row_seq", type_=sa.BigInteger), _row.block.is_(None))
    .values(block=sa.bindparam("block_no", type_=sa.BigInteger))
)

BLOCKS = (
    sa.select(audit_block)
    .where(
        _block.no > sa.bindparam("after", type_=sa.BigInteger),
        _block.no <= sa.bindparam("until", type_=sa.BigInteger),
    )
    .order_by(_block.no)
    .limit(_limit)
)

SEALED = (
    sa.select(audit_row)
    .where(
        sa.tuple_(_row.block, _row.seq)
        > sa.tuple_(sa.bindparam("after", type_=sa.BigInteger), sa.bindparam("after_seq", type_=sa.BigInteger)),
        _row.block <= sa.bindparam("until", type_=sa.BigInteger),
    )
    .order_by(_row.block, _row.seq)
    .limit(_limit)
)

ORPHANS = (
    sa.select(audit_row)
    .where(
        _row.block > sa.bindparam("until", type_=sa.BigInteger),
        ~sa.exists().where(_block.no == _row.block).correlate(audit_row),
    )
    .order_by(_row.block, _row.seq)
    .limit(_limit)
)
"""Rows that claim a later block that does not exist; one statement, so that it sees a block sealed meanwhile too."""
