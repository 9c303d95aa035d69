"""The audit log at work: rows in the business transaction, sealing behind it, late commits, publishing."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import FixedClock
from shared.contracts.audit import AuditCheckpoint
from shared.db.sqlite import SqliteDatabase
from shared.db.uow import Uow
from shared.security.audit import Checkpoint, Leaf, block_hash, pack_leaves, row_hash, stamp, unpack_leaves
from shared.security.audit_keys import shared_keys
from shared.security.audit_log import Sealer, checkpoint_from, event_of
from shared.security.audit_verifier import Report, verify
from shared.security.keyring import Keyring
from shared.security.sealer import seal
from shared.security.verify_audit import verify_audit

Sql = Callable[..., list[Any]]


async def act(uow: Uow) -> None:
    await uow.audit("open", object_type="window", object_id="w1", detail={"n": 1})


async def check(db: SqliteDatabase, keyring: Keyring, *checkpoints: Checkpoint) -> Report:
    keys = [keyring.audit_signer().public_key]
    return await db.read(lambda reads: verify_audit(reads, service="staff", keys=keys, checkpoints=checkpoints))


async def test_a_row_lives_and_dies_with_its_transaction(db: SqliteDatabase, sql: Sql) -> None:
    async def fails(uow: Uow) -> None:
        await act(uow)
        raise LookupError

    with pytest.raises(LookupError):
        await db.write(fails, actor="u1")
    await db.write(act, actor="u2")
    assert sql("SELECT actor, at, detail, block FROM audit_row") == [
        ("u2", "2026-03-02T09:00:00.123456Z", '{"n":1}', None)
    ]


async def test_sealing_publishes_a_checkpoint_in_the_same_transaction(
    db: SqliteDatabase, keyring: Keyring, sql: Sql
) -> None:
    sealer = Sealer(db, shared_keys("staff", keyring))
    assert await sealer.turn() == 0
    await db.write(act, actor="u1")
    assert await sealer.turn() == 1
    assert await sealer.turn() == 0
    [(subject, payload)] = sql("SELECT subject, payload FROM outbox")
    event = AuditCheckpoint.read(payload)
    assert isinstance(event, AuditCheckpoint)
    assert (subject, event.block, event.rows) == ("staff", 1, 1)
    assert checkpoint_from(event) == sealer.head
    assert checkpoint_from(event).signed_by([keyring.audit_signer().public_key])


async def test_a_turn_takes_at_most_its_limit(db: SqliteDatabase, keyring: Keyring) -> None:
    async def many(uow: Uow) -> None:
        for _ in range(1005):
            await act(uow)

    await db.write(many, actor="u1")
    sealer = Sealer(db, shared_keys("staff", keyring))
    assert [await sealer.turn() for _ in range(3)] == [1, 1, 0]
    report = await check(db, keyring)
    assert (report.ok, report.rows, report.blocks) == (True, 1005, 2)


async def test_a_lower_number_that_commits_late_goes_into_the_next_block(
    db: SqliteDatabase, keyring: Keyring, sql: Sql
) -> None:
    sealer = Sealer(db, shared_keys("staff", keyring))
    for _ in range(5):
        await db.write(act, actor="u1")
    sql("UPDATE audit_row SET seq = seq * 10")  # gaps, as rolled back transactions leave them
    sql("CREATE TABLE late AS SELECT * FROM audit_row WHERE seq IN (20, 40)")
    sql("DELETE FROM audit_row WHERE seq IN (20, 40)")
    await sealer.turn()
    sql("INSERT INTO audit_row SELECT * FROM late")
    assert (await check(db, keyring)).unsealed == 2
    await sealer.turn()
    assert sql("SELECT no, first_seq, last_seq, rows FROM audit_block") == [(1, 10, 50, 3), (2, 20, 40, 2)]
    report = await check(db, keyring)
    assert (report.ok, report.rows, report.unsealed) == (True, 5, 0)


async def test_parallel_writers_and_sealers_make_one_chain(db: SqliteDatabase, keyring: Keyring) -> None:
    sealers = [Sealer(db, shared_keys("staff", keyring)) for _ in range(3)]
    await asyncio.gather(*(db.write(act, actor=f"u{i}") for i in range(50)), *(s.turn() for s in sealers))
    while await sealers[0].turn():
        pass
    report = await check(db, keyring)
    assert (report.ok, report.rows, report.unsealed) == (True, 50, 0)


async def test_a_block_sealed_while_the_log_is_read_is_no_fault(db: SqliteDatabase, keyring: Keyring) -> None:
    sealer = Sealer(db, shared_keys("staff", keyring))
    await db.write(act, actor="u1")
    await sealer.turn()
    await db.write(act, actor="u1")

    async def work(uow: Uow) -> Report:
        # READ COMMITTED shows a statement what others committed since the one before it.
        first = uow.one
        signer = keyring.audit_signer()

        async def one(statement: Any, **params: Any) -> Any:
            row = await first(statement, **params)
            racing.one = first
            await seal(uow, service="staff", signer=signer)
            return row

        racing = SimpleNamespace(one=one, all=uow.all, scalar=uow.scalar)
        return await verify_audit(racing, service="staff", keys=[signer.public_key])  # type: ignore[arg-type]

    report = await db.write(work, actor="auditor")
    assert (report.ok, report.blocks, report.rows) == (True, 1, 1)


def test_a_time_is_hashed_as_it_is_stored() -> None:
    east = datetime(2026, 3, 2, 17, 0, 0, 5, tzinfo=timezone(timedelta(hours=8)))
    assert stamp(east) == stamp(east.astimezone(UTC)) == "2026-03-02T09:00:00.000005Z"
    assert stamp(datetime(2026, 3, 2, tzinfo=UTC)) == "2026-03-02T00:00:00.000000Z"
    with pytest.raises(ValueError, match="aware"):
        stamp(datetime(2026, 3, 2))


@given(st.datetimes(timezones=st.timezones()), st.datetimes(timezones=st.timezones()))
def test_stamps_sort_as_times_do(a: datetime, b: datetime) -> None:
    if a.year in (1, 9999) or b.year in (1, 9999):
        return
    a, b = a.astimezone(UTC), b.astimezone(UTC)
    assert (stamp(a) < stamp(b)) == (a < b)
    assert datetime.fromisoformat(stamp(a)) == a


@given(st.integers(1, 2**53), st.text("abc", max_size=3), st.text(max_size=20))
def test_the_checkpoint_survives_its_event(block: int, service: str, signature: str) -> None:
    made = Checkpoint(f"s{service}", block, block, "h", "2026-03-02T09:00:00.123456Z", "k", f"x{signature}")
    assert checkpoint_from(AuditCheckpoint.model_validate_json(event_of(made).write())) == made


class Pure:
    """Rows and blocks as data, three blocks over ten rows, sealed out of order."""

    def __init__(self, keyring: Keyring) -> None:
        signer = keyring.audit_signer()
        self.key = signer.public_key
        held = ((1, 2, 5), (3, 4, 6, 9), (7, 8, 10))
        self.rows = [_row(seq, no) for no, seqs in enumerate(held, 1) for seq in seqs]
        self.blocks: list[SimpleNamespace] = []
        self.published: list[Checkpoint] = []
        for no in (1, 2, 3):
            self._seal(no, [row for row in self.rows if row.block == no], signer)

    def _seal(self, no: int, rows: list[Any], signer: Any) -> None:
        from shared.security.audit import checkpoint_of, genesis, sign

        last = self.blocks[-1] if self.blocks else SimpleNamespace(hash=genesis("staff"), total=0)
        block = SimpleNamespace(no=no, prev_hash=last.hash, first_seq=rows[0].seq, last_seq=rows[-1].seq)
        block.rows, block.total, block.sealed_at = len(rows), last.total + len(rows), f"t{no}"
        block.leaves = pack_leaves(Leaf(row.seq, row_hash(row)) for row in rows)
        block.hash, block.key, block.signature = "", signer.key_id, ""
        block.hash = block_hash("staff", block)  # type: ignore[arg-type]
        self.published.append(sign(checkpoint_of("staff", block), signer))  # type: ignore[arg-type]
        block.signature = self.published[-1].signature
        self.blocks.append(block)

    def check(self) -> Report:
        return verify(self.rows, self.blocks, self.published, [self.key], service="staff")  # type: ignore[arg-type]


def _row(seq: int, block: int) -> SimpleNamespace:
    names = ("id", "at", "actor", "action", "object_type", "object_id", "unit", "detail")
    return SimpleNamespace(
        seq=seq, block=block, purpose=None, trace_id=None, **{name: f"{name}{seq}" for name in names}
    )


@pytest.fixture(scope="module")
def shared_keyring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    from shared.security.keyring import FileKeySource

    return Keyring(FileKeySource(tmp_path_factory.mktemp("keys")))


@given(data=st.data())
def test_no_single_change_goes_unseen(shared_keyring: Keyring, data: st.DataObject) -> None:
    log = Pure(shared_keyring)
    assert log.check().ok
    items: list[SimpleNamespace] = data.draw(st.sampled_from([log.rows, log.blocks]))  # type: ignore[list-item]
    index = data.draw(st.integers(0, len(items) - 1))
    what = data.draw(st.sampled_from(["delete", "duplicate", "swap", "change"]))
    if what == "delete":
        del items[index]
    elif what == "duplicate":
        items.insert(index, items[index])
    elif what == "swap":
        other = data.draw(st.integers(0, len(items) - 1).filter(lambda i: i != index))
        items[index], items[other] = items[other], items[index]
    else:
        name = data.draw(st.sampled_from(sorted(vars(items[index]))))
        old = getattr(items[index], name)
        new = data.draw(st.one_of(st.none(), st.integers(0, 12), st.text(max_size=3), st.binary(max_size=3)))
        if new == old or (name in {"no", "seq", "block"} and not isinstance(new, int)):
            return
        setattr(items[index], name, new)
    report = log.check()
    assert not report.ok
    assert report.first is not None


@given(st.lists(st.tuples(st.integers(0, 2**63), st.binary(min_size=32, max_size=32))))
def test_leaves_come_back(pairs: list[tuple[int, bytes]]) -> None:
    leaves = [Leaf(*pair) for pair in pairs]
    packed = pack_leaves(leaves)
    assert list(unpack_leaves(packed)) == leaves
    with pytest.raises(ValueError, match="cut"):
        list(unpack_leaves(packed + b"x"))


def test_a_row_never_hashes_like_another_shape() -> None:
    assert row_hash(_row(1, 1)) == row_hash(_row(1, 2)), "the block is not part of what was said"
    assert row_hash(_row(1, 1)) != row_hash(_row(2, 1))


def test_tables_are_on_the_kits_metadata(file: Path, clock: FixedClock) -> None:
    from shared.db.tables import KIT

    assert {"audit_row", "audit_block"} <= set(KIT.tables)
