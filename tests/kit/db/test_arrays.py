"""Arrays written as text say what the same lists say through the driver."""

import asyncio
from datetime import UTC, date, datetime, timedelta, timezone
from enum import IntEnum, StrEnum

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.db.arrays import WRITERS
from shared.db.bulk import many_rows
from shared.db.errors import ValueRefused
from shared.testing.tally.tables import LOG, LOGGED, NEW

TEXTS = st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0")) | st.sampled_from(
    ["NULL", "null", '"', "\\", '","', "{}", "{a,b}", " a ", "", "中文", "a\nb", "\\\"", "'", "a,b", "\x1f"]
)  # fmt: skip
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=8)), timezone(timedelta(hours=-3, minutes=-30))])
LISTS = {
    "TEXT": TEXTS,
    "VARCHAR": TEXTS,
    "SMALLINT": st.none() | st.integers(-(2**15), 2**15 - 1),
    "INTEGER": st.none() | st.integers(-(2**31), 2**31 - 1),
    "BIGINT": st.none() | st.integers(-(2**63), 2**63 - 1),
    "DATE": st.none() | st.dates() | st.sampled_from([date.min, date.max]),
    "TIMESTAMP WITH TIME ZONE": st.none() | st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=ZONES),
    "BOOLEAN": st.none() | st.booleans(),
}


class Level(IntEnum):
    HIGH = 3


class Word(StrEnum):
    CASH = "cash"


@pytest.fixture(scope="module")
def asked(postgres):
    """Whether PostgreSQL reads in the text of an array what the driver tells it of the list."""
    runner = asyncio.Runner()
    raw = runner.run(asyncpg.connect(postgres, server_settings={"timezone": "UTC"}))

    def ask(kind, text, values):
        return runner.run(raw.fetchval(f"SELECT $1::text::{kind}[] = $2::{kind}[]", text, values))

    yield ask
    runner.run(raw.close())
    runner.close()


@pytest.mark.parametrize("kind", LISTS)
def test_every_list_comes_back_as_it_went(asked, kind):
    @settings(max_examples=60, deadline=None)
    @given(st.lists(LISTS[kind], max_size=8))
    def check(values):
        assert asked(kind, WRITERS[kind](values), values)

    check()


def test_every_kind_that_is_written_is_tried():
    assert LISTS.keys() == WRITERS.keys()


def test_enumerations_are_their_values():
    assert WRITERS["BIGINT"]([Level.HIGH, 4]) == "{3,4}"
    assert WRITERS["TEXT"]([Word.CASH, 'a"']) == '{"cash","a\\""}'


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("BIGINT", "1,2"), ("BIGINT", 1.5), ("DATE", "2026-03-02},{"), ("TIMESTAMP WITH TIME ZONE", date(2026, 3, 2)),
        ("BOOLEAN", 1), ("TEXT", 7), ("TEXT", b"x"), ("DATE", []),
    ],
)  # fmt: skip
@pytest.mark.parametrize("beside", [[], [None]])
def test_a_value_of_another_type_is_refused_and_never_becomes_two(kind, value, beside):
    with pytest.raises(ValueRefused):
        WRITERS[kind]([value, *beside])


async def test_many_rows_may_be_given_by_column(store):
    async def tell(uow):
        await uow.many(NEW, {"name": ["a", "b"], "amount": [1, 2], "sequence": [0, 0]}, distinct=True)
        await uow.many(LOG, {"name": ["x"], "amount": [5]})
        await uow.many(LOG, {"name": [f"n{n}" for n in range(20)], "amount": list(range(20))})
        await uow.many(LOG, {})

    await store.write(tell, actor="t")
    rows = await store.read(lambda reads: reads.all(LOGGED))
    assert [(row.name, row.amount) for row in rows] == [("x", 5), *((f"n{n}", n) for n in range(20))]


@pytest.mark.parametrize("rows", [[{"name": "a"}], {"name": ["a"]}])
async def test_a_parameter_that_is_missing_in_rows_is_named(store, rows):
    with pytest.raises(KeyError, match="'amount'"):
        await store.write(lambda uow: uow.many(LOG, rows), actor="t")


@pytest.mark.parametrize("rows", [1, 2])
async def test_a_value_that_no_column_holds_is_refused_in_one_row_or_in_many(store, rows):
    with pytest.raises(ValueRefused):
        await store.write(lambda uow: uow.many(LOG, [{"name": "a", "amount": 2**70}] * rows), actor="t")
    assert await store.read(lambda reads: reads.all(LOGGED)) == []


def test_arrays_of_other_kinds_are_left_to_the_driver():
    bulk = many_rows("INSERT INTO t (a, b) VALUES ($1::BYTEA, $2::VARCHAR)")
    assert "unnest($1::BYTEA[], $2::TEXT::VARCHAR[])" in bulk.sql
    assert bulk.arrays([(b"x", b"y"), ("c", "d")]) == [[b"x", b"y"], '{"c","d"}']
