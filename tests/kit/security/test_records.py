"""Data keys in their table: made once, reveals logged, rotated in batches, destroyed with proof."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.db.sqlite import SqliteDatabase
from shared.db.uow import Uow
from shared.security.envelope import Unreadable
from shared.security.keyring import FileKeySource, Keyring
from shared.security.records import RecordKeys

Sql = Callable[..., list[Any]]


async def test_sealed_through_the_unit_and_revealed_with_a_trace(db: SqliteDatabase, sql: Sql) -> None:
    async def write(uow: Uow) -> tuple[str, str]:
        return await uow.seal("person", "p1", "name", "张三"), await uow.seal("person", "p1", "phone", "138")

    name, phone = await db.write(write, actor="u1")
    assert sql("SELECT count(*) FROM data_key") == [(1,)]
    assert name.split(".")[2] == phone.split(".")[2], "one key for the record"

    async def read(uow: Uow) -> str:
        return await uow.reveal("person", "p1", "name", name, purpose="payroll")

    assert await db.write(read, actor="u2") == "张三"
    assert sql("SELECT actor, action, object_id, purpose, detail FROM audit_row") == [
        ("u2", "reveal", "p1", "payroll", '{"column":"name"}')
    ]


async def test_a_record_is_destroyed_by_its_key(db: SqliteDatabase, keyring: Keyring, sql: Sql) -> None:
    records = RecordKeys(keyring)
    sealed = await db.write(lambda uow: uow.seal("person", "p1", "name", "张三"), actor="u1")
    assert await db.write(lambda uow: records.forget(uow, "person", "p1"), actor="retention")
    assert not await db.write(lambda uow: records.forget(uow, "person", "p1"), actor="retention")
    assert sql("SELECT action, object_id FROM audit_row") == [("destroy", "p1")]
    with pytest.raises(Unreadable, match="destroyed"):
        await db.read(lambda reads: records.open(reads, "person", "p1", "name", sealed))


async def test_rotation_in_batches(db: SqliteDatabase, keyring: Keyring, source: FileKeySource, sql: Sql) -> None:
    records = RecordKeys(keyring)
    sealed = {}
    for i in range(5):
        row = f"p{i}"
        sealed[row] = await db.write(lambda uow, row=row: uow.seal("person", row, "name", row), actor="u1")
    source.rotate()
    done = [await db.write(lambda uow: records.rewrap(uow, limit=3), actor="rotation") for _ in range(3)]
    assert done == [3, 2, 0]
    assert sql("SELECT DISTINCT kid FROM data_key") == [("k2",)]
    source.retire("k1")
    for row, text in sealed.items():
        assert await db.read(lambda reads, row=row, text=text: records.open(reads, "person", row, "name", text)) == row
