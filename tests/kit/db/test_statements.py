"""Statements mean the same on both databases."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from shared.db.statements import upsert
from shared.db.tables import consumer_offset, idempotency
from shared.db.types import any_of
from shared.testing.tally.tables import ALL, LOG, LOGGED, NEW, total

KEEP_OLD = upsert(total, ["name"], None).returning(total.c.name)
REPLACE = upsert(total, ["name"], ["amount", "sequence"])
NEWER = upsert(total, ["name"], ["amount", "sequence"], where=lambda old, new: new.sequence > old.sequence).returning(
    total.c.amount
)
SOME = sa.select(total.c.name).where(any_of(total.c.name, "names")).order_by(total.c.name)
PUT_REPLY = upsert(idempotency, ["caller", "key"], None)
REPLY = sa.select(idempotency)
TWICE = sa.select(total.c.name).where(
    sa.or_(total.c.name == sa.bindparam("x"), total.c.amount > 5, total.c.name == sa.bindparam("x"))
)


async def run(db, *steps):
    async def unit(uow):
        return [await step(uow) for step in steps]

    return await db.write(unit, actor="t")


def row(statement, **values):
    return lambda uow: uow.one(statement, **values)


async def test_upsert_does_nothing_replaces_or_guards(store):
    first, second = await run(
        store,
        row(KEEP_OLD, name="a", amount=1, sequence=5),
        row(KEEP_OLD, name="a", amount=2, sequence=6),
    )
    assert (first.name, second) == ("a", None)
    older, newer = await run(
        store, row(NEWER, name="a", amount=3, sequence=5), row(NEWER, name="a", amount=4, sequence=6)
    )
    assert (older, newer.amount) == (None, 4)
    await run(store, lambda uow: uow.execute(REPLACE, name="a", amount=9, sequence=1))
    assert [tuple(r) for r in await store.read(lambda r: r.all(ALL))] == [("a", 9, 1)]


async def test_execute_counts_the_rows_it_changed(store):
    erase = sa.delete(total).where(total.c.amount < sa.bindparam("below"))
    await run(store, lambda uow: uow.many(NEW, [{"name": f"n{n}", "amount": n, "sequence": 0} for n in range(10)]))
    assert await run(store, lambda uow: uow.execute(erase, below=4)) == [4]
    assert await run(store, lambda uow: uow.execute(erase, below=4)) == [0]
    assert await run(store, lambda uow: uow.execute(KEEP_OLD, name="n5", amount=1, sequence=1)) == [0]


@pytest.mark.parametrize("names", [[], ["a"], ["a", "c", "a", "zz"], ['it\'s "so"', "中文", "a,b", "{x}", "\\"]])
async def test_any_of_takes_lists_of_any_length_and_content(store, names):
    await run(
        store,
        lambda uow: uow.many(
            NEW,
            [
                {"name": n, "amount": 1, "sequence": 0}
                for n in ["a", "b", "c", 'it\'s "so"', "中文", "a,b", "{x}", "\\"]
            ],
        ),
    )
    found = await store.read(lambda reads: reads.all(SOME, names=names))
    assert sorted(r.name for r in found) == sorted(set(names) - {"zz"})


@pytest.mark.parametrize("value", [{}, {"Location": "/x", "名": "中文 é \u2028 \x7f", "n": "null"}, {"q": "'\"\\"}])
async def test_json_text_bytes_and_instants_come_back_as_they_went(store, value):
    at = datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC)
    body = bytes(range(256))
    await run(
        store,
        lambda uow: uow.execute(
            PUT_REPLY, caller="c", key="k", fingerprint="f", status=201, headers=value, body=body, created_at=at
        ),
    )
    kept = await store.read(lambda reads: reads.one(REPLY))
    assert (kept.headers, bytes(kept.body), kept.created_at) == (value, body, at)
    assert kept.created_at.utcoffset() is not None


async def test_a_parameter_used_twice_is_given_once(store):
    await run(store, lambda uow: uow.execute(NEW, name="a", amount=1, sequence=0))
    assert [r.name for r in await store.read(lambda reads: reads.all(TWICE, x="a"))] == ["a"]


async def test_a_missing_parameter_is_named(store):
    with pytest.raises(KeyError, match="'sequence'"):
        await store.write(lambda uow: uow.execute(NEW, name="a", amount=1), actor="t")


async def test_ordinary_rows_of_many_keep_their_order(store):
    await run(
        store, lambda uow: uow.many(LOG, [{"name": "a", "amount": n} for n in range(50)]), lambda uow: uow.many(LOG, [])
    )
    assert [r.amount for r in await store.read(lambda reads: reads.all(LOGGED))] == list(range(50))


async def test_nothing_found_is_none(store):
    assert await store.read(lambda reads: reads.one(sa.select(consumer_offset))) is None
    assert await store.read(lambda reads: reads.scalar(sa.select(sa.func.max(total.c.amount)))) is None
