"""Writes that wait for one round trip: nothing in the unit, and nobody outside, can tell the difference."""

import pytest
import sqlalchemy as sa

from shared.db.errors import IntegrityViolation, UniqueConflict
from shared.db.merging import Waiting, merged, touched
from shared.db.statements import POSTGRES, Compiler, insert
from shared.db.tables import outbox, subject_sequence
from shared.testing.tally.spec import told
from shared.testing.tally.tables import ALL, LOG, LOGGED, NEW, total

ALTER = sa.update(total).where(total.c.name == sa.bindparam("of")).values(amount=sa.bindparam("to"))
TOLD = sa.select(outbox.c.subject, outbox.c.headers).order_by(outbox.c.seq)
only_postgres = pytest.mark.parametrize("dialect", ["postgres"], indirect=True)


@pytest.fixture
def sent(monkeypatch):
    """The texts of the writes that were sent to PostgreSQL."""
    from shared.db import postgres

    texts, flush = [], postgres.PostgresConnection.flush

    async def noting(connection):
        if connection._waiting.sqls:
            texts.append(merged(tuple(connection._waiting.sqls)))
        await flush(connection)

    monkeypatch.setattr(postgres.PostgresConnection, "flush", noting)
    return texts


@only_postgres
async def test_writes_to_different_tables_travel_together(store, sent):
    async def unit(uow):
        await uow.write(NEW, name="a", amount=1, sequence=1)
        await uow.write(LOG, name="a", amount=1)
        await uow.emit(told("a"), subject="a", first=True)

    await store.write(unit, actor="t")
    assert len(sent) == 1
    assert sent[0].count("INSERT INTO") == 4
    rows = await store.read(lambda reads: reads.all(TOLD))
    assert [(row.subject, row.headers["ce_sequence"]) for row in rows] == [("a", "1")]
    assert len(await store.read(lambda reads: reads.all(LOGGED))) == 1


async def test_a_unit_sees_its_own_writes(store):
    async def unit(uow):
        await uow.write(NEW, name="a", amount=1, sequence=1)
        await uow.write(LOG, name="a", amount=1)
        first = [tuple(row) for row in await uow.all(ALL)]
        await uow.write(ALTER, of="a", to=5)
        assert await uow.execute(ALTER, of="a", to=7) == 1
        await uow.write(ALTER, of="a", to=9)
        return first, await uow.scalar(ALL), [row.amount for row in await uow.all(ALL)]

    assert await store.write(unit, actor="t") == ([("a", 1, 1)], "a", [9])


async def test_writes_of_one_row_keep_their_order(store):
    async def unit(uow):
        await uow.write(NEW, name="a", amount=1, sequence=1)
        for amount in (2, 3, 4):
            await uow.write(ALTER, of="a", to=amount)
            await uow.write(LOG, name="a", amount=amount)

    await store.write(unit, actor="t")
    assert [row.amount for row in await store.read(lambda reads: reads.all(ALL))] == [4]
    assert [row.amount for row in await store.read(lambda reads: reads.all(LOGGED))] == [2, 3, 4]


@pytest.mark.parametrize(("amount", "error"), [(1, UniqueConflict), (-1, IntegrityViolation)])
async def test_one_refused_write_undoes_them_all(store, amount, error):
    await store.write(lambda uow: uow.write(NEW, name="a", amount=1, sequence=1), actor="t")

    async def unit(uow):
        await uow.emit(told("b"), subject="b")
        await uow.write(LOG, name="b", amount=1)
        await uow.write(NEW, name="a" if amount > 0 else "b", amount=amount, sequence=1)

    with pytest.raises(error):
        await store.write(unit, actor="t")
    assert await store.read(lambda reads: reads.all(LOGGED)) == []
    assert await store.read(lambda reads: reads.all(TOLD)) == []


async def test_a_subject_that_has_begun_before_cannot_begin_again(store):
    async def unit(uow):
        await uow.emit(told("a"), subject="a", first=True)

    await store.write(unit, actor="t")
    with pytest.raises(UniqueConflict):
        await store.write(unit, actor="t")
    await store.write(lambda uow: uow.emit(told("a"), subject="a"), actor="t")
    assert [row.headers["ce_sequence"] for row in await store.read(lambda reads: reads.all(TOLD))] == ["1", "2"]


def test_what_a_statement_touches():
    meta = sa.MetaData()
    parent = sa.Table("parent", meta, sa.Column("id", sa.Text, primary_key=True))
    child = sa.Table("child", meta, sa.Column("of", sa.Text, sa.ForeignKey(parent.c.id), primary_key=True))
    other = sa.Table("other", meta, sa.Column("id", sa.Text, primary_key=True))
    alias = other.alias()
    assert touched(insert(child)) == ("child", {"child", "parent"})
    guarded = sa.delete(parent).where(sa.exists().where(alias.c.id == parent.c.id))
    assert touched(guarded) == ("parent", {"parent", "other"})
    assert touched(sa.select(child.c.of).join(parent)) == ("", {"child", "parent"})
    waiting = Waiting()
    assert waiting.add("INSERT INTO child", [], touched(insert(child)))
    assert waiting.holds_up(touched(insert(child)))
    assert waiting.holds_up(touched(guarded)), "deleting the parent of what waits"
    assert waiting.holds_up(touched(sa.select(child)))
    assert not waiting.holds_up(touched(insert(other)))
    assert not waiting.add("WITH x AS (SELECT 1) INSERT", [], touched(insert(other)))


def test_parameters_are_numbered_one_after_the_other():
    compiled = Compiler(POSTGRES)
    first, second = compiled(insert(subject_sequence)).sql, compiled(ALTER).sql
    text = merged((first, second, first))
    assert text.startswith("WITH w0 AS (INSERT INTO subject_sequence")
    assert [f"${n}::" in text for n in range(1, 8)] == [True] * 6 + [False]
    assert merged((first,)) == first
