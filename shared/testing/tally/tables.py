"""The tally's tables and statements."""

import sqlalchemy as sa

from shared.db.statements import insert, upsert
from shared.db.tables import KIT
from shared.db.uow import Uow

TALLY = sa.MetaData(naming_convention=KIT.naming_convention)

total = sa.Table(
    "total",
    TALLY,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.CheckConstraint("amount >= 0", name="amount"),
)
addition = sa.Table(
    "addition",
    TALLY,
    sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
)

ADD = upsert(
    total,
    ["name"],
    {"amount": total.c.amount + sa.bindparam("amount"), "sequence": total.c.sequence + 1},
).returning(total.c.amount, total.c.sequence)
NEW = insert(total)
LOG = insert(addition, without=("seq",))
ONE = sa.select(total).where(total.c.name == sa.bindparam("name"))
ALL = sa.select(total).order_by(total.c.name)
LOGGED = sa.select(addition).order_by(addition.c.seq)
LOCK = ONE.with_for_update()


async def add(uow: Uow, name: str, amount: int) -> tuple[int, int]:
    """Add ``amount`` to the total of ``name``; gives the new total and how many additions it had."""
    row = await uow.one(ADD, name=name, amount=amount, sequence=1)
    await uow.write(LOG, name=name, amount=amount)
    assert row is not None
    return row.amount, row.sequence
