"""Attacks on the audit log by somebody who can write to the database, one by one; each is found and named."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.clock import FixedClock
from shared.db.sqlite import SqliteDatabase
from shared.db.uow import Uow
from shared.security.audit import Checkpoint
from shared.security.audit_keys import shared_keys
from shared.security.audit_log import Sealer
from shared.security.audit_verifier import Finding, Report
from shared.security.keyring import Keyring
from shared.security.sealer import ChainBroken, seal
from shared.security.signing import Ed25519Signer
from shared.security.verify_audit import verify_audit

Sql = Callable[..., list[Any]]


class Log:
    """A log of three blocks of four rows (1–4, 5–8, 9–12), with the checkpoints that were published."""

    def __init__(self, db: SqliteDatabase, keyring: Keyring, clock: FixedClock) -> None:
        self.db = db
        self.clock = clock
        self.signer = keyring.audit_signer()
        self.sealer = Sealer(db, shared_keys("staff", keyring))
        self.published: list[Checkpoint] = []

    async def grow(self, rows: int = 4) -> None:
        async def act(uow: Uow) -> None:
            for i in range(rows):
                await uow.audit("open", object_type="window", object_id=f"w{i}", unit="b1", detail={"无": i, "x": None})

        self.clock.advance(timedelta(seconds=1))
        await self.db.write(act, actor="u1")
        assert await self.sealer.turn() == 1
        assert self.sealer.head is not None
        self.published.append(self.sealer.head)

    async def check(self, **options: Any) -> Report:
        options = {"checkpoints": self.published, "keys": [self.signer.public_key], "page": 3} | options
        return await self.db.read(lambda reads: verify_audit(reads, service="staff", **options))


@pytest.fixture
async def log(db: SqliteDatabase, keyring: Keyring, clock: FixedClock) -> Log:
    made = Log(db, keyring, clock)
    for _ in range(3):
        await made.grow()
    return made


async def test_an_honest_log_verifies(log: Log) -> None:
    report = await log.check()
    assert report.ok, report.findings
    assert (report.rows, report.blocks, report.unsealed, report.anchored) == (12, 3, 0, 3)
    assert report.head == log.published[-1]


@pytest.mark.parametrize("column", ["id", "at", "actor", "action", "object_type", "object_id", "unit", "purpose"])
async def test_an_edited_field_names_its_row(log: Log, sql: Sql, column: str) -> None:
    sql(f"UPDATE audit_row SET {column} = 'x' WHERE seq = 6")
    assert (await log.check()).first == Finding(2, 6, "row_altered")


@pytest.mark.parametrize(
    ("attack", "found"),
    [
        ("UPDATE audit_row SET detail = replace(detail, ',', ', ') WHERE seq = 6", Finding(2, 6, "row_altered")),
        ("UPDATE audit_row SET at = replace(at, '123456Z', '123Z') WHERE seq = 6", Finding(2, 6, "row_altered")),
        ("UPDATE audit_row SET at = replace(at, 'Z', '+00:00') WHERE seq = 6", Finding(2, 6, "row_altered")),
        ("UPDATE audit_row SET trace_id = '' WHERE seq = 6", Finding(2, 6, "row_altered")),
        ("UPDATE audit_row SET actor = x'00ff' WHERE seq = 6", Finding(2, 6, "row_altered")),
        ("DELETE FROM audit_row WHERE seq = 6", Finding(2, 6, "row_missing")),
        ("DELETE FROM audit_row WHERE seq = 5", Finding(2, 5, "row_missing")),
        ("DELETE FROM audit_row WHERE seq = 8", Finding(2, 8, "row_missing")),
        ("DELETE FROM audit_row WHERE seq >= 11", Finding(3, 11, "row_missing")),
        ("DELETE FROM audit_row WHERE block = 1", Finding(1, 1, "row_missing")),
        ("DELETE FROM audit_row", Finding(1, 1, "row_missing")),
        ("UPDATE audit_row SET block = NULL WHERE seq = 6", Finding(2, 6, "row_missing")),
        ("UPDATE audit_row SET block = 3 WHERE seq = 6", Finding(2, 6, "row_missing")),
        ("UPDATE audit_row SET block = 9 WHERE seq = 12", Finding(3, 12, "row_missing")),
        ("UPDATE audit_row SET block = 0 WHERE seq = 6", Finding(2, 6, "row_missing")),
        ("UPDATE audit_row SET block = 'x' WHERE seq = 6", Finding(2, 6, "row_missing")),
        ("UPDATE audit_row SET seq = 100 WHERE seq = 12", Finding(3, 12, "row_missing")),
        ("UPDATE audit_block SET total = total + 1 WHERE no = 2", Finding(2, 5, "block_altered")),
        ("UPDATE audit_block SET sealed_at = 'x' WHERE no = 2", Finding(2, 5, "block_altered")),
        ("UPDATE audit_block SET leaves = x'00' WHERE no = 2", Finding(2, 5, "block_altered")),
        ("UPDATE audit_block SET leaves = 'text' WHERE no = 2", Finding(2, 5, "block_altered")),
        ("UPDATE audit_block SET rows = 'four' WHERE no = 2", Finding(2, 5, "block_altered")),
        ("UPDATE audit_block SET hash = 'x' WHERE no = 2", Finding(2, 5, "block_altered")),
        ("UPDATE audit_block SET prev_hash = 'x' WHERE no = 2", Finding(2, 5, "chain_broken")),
        ("UPDATE audit_block SET signature = 'x' WHERE no = 2", Finding(2, 5, "block_signature")),
        ("UPDATE audit_block SET key = 'x' WHERE no = 2", Finding(2, 5, "block_signature")),
        ("DELETE FROM audit_block WHERE no = 1", Finding(1, None, "block_missing")),
        ("DELETE FROM audit_block WHERE no = 3", Finding(3, 9, "row_without_block")),
        ("DELETE FROM audit_block", Finding(1, 1, "row_without_block")),
    ],
)
async def test_an_attack_is_found_and_named(log: Log, sql: Sql, attack: str, found: Finding) -> None:
    sql(attack)
    report = await log.check()
    assert not report.ok
    assert found in report.findings
    assert report.first is not None
    assert report.first.block <= found.block or report.first == found


async def test_a_row_put_into_a_sealed_block_is_found(log: Log, sql: Sql) -> None:
    sql("INSERT INTO audit_row SELECT 20, 'n', at, actor, action, object_type, object_id, unit, purpose, detail, "
        "trace_id, 2 FROM audit_row WHERE seq = 5")  # fmt: skip
    assert (await log.check()).first == Finding(2, 20, "row_inserted")


async def test_a_deleted_row_put_back_with_other_content_is_found(log: Log, sql: Sql) -> None:
    sql("CREATE TABLE kept AS SELECT * FROM audit_row WHERE seq = 6")
    sql("DELETE FROM audit_row WHERE seq = 6")
    sql("UPDATE kept SET actor = 'somebody'")
    sql("INSERT INTO audit_row SELECT * FROM kept")
    assert (await log.check()).first == Finding(2, 6, "row_altered")


async def test_a_cut_end_is_found_by_what_was_published(log: Log, sql: Sql) -> None:
    sql("DELETE FROM audit_row WHERE block = 3")
    sql("DELETE FROM audit_block WHERE no = 3")
    assert (await log.check()).findings == (Finding(3, None, "log_truncated"),)
    unanchored = await log.check(checkpoints=[])
    assert (unanchored.ok, unanchored.anchored) == (True, 0), "why checkpoints must come from outside"


async def test_an_emptied_log_is_not_an_empty_log(log: Log, sql: Sql) -> None:
    sql("DELETE FROM audit_row")
    sql("DELETE FROM audit_block")
    assert (await log.check()).findings == (Finding(1, None, "log_truncated"),)
    await _refuses_to_seal(log)


async def _refuses_to_seal(log: Log) -> None:
    async def act(uow: Uow) -> None:
        await uow.audit("open", object_type="window", object_id="w")

    await log.db.write(act, actor="u1")
    with pytest.raises(ChainBroken):
        await log.sealer.turn()


async def test_the_sealer_does_not_begin_anew_after_its_blocks_are_gone(log: Log, sql: Sql, keyring: Keyring) -> None:
    sql("DELETE FROM audit_block")
    await _refuses_to_seal(log)
    log.sealer = Sealer(log.db, shared_keys("staff", keyring))  # restarted, without a checkpoint from outside
    await _refuses_to_seal(log)


async def test_the_sealer_does_not_continue_another_head(log: Log, sql: Sql) -> None:
    sql("UPDATE audit_block SET hash = 'x' WHERE no = 3")
    await _refuses_to_seal(log)


async def _forge(log: Log, sql: Sql, signer: Ed25519Signer) -> Report:
    """Rewrite history from the second block on and chain it again, with ``signer``."""
    sql("UPDATE audit_row SET actor = 'somebody' WHERE seq = 6")
    sql("UPDATE audit_row SET block = NULL WHERE block > 1")
    sql("DELETE FROM audit_block WHERE no > 1")
    for _ in range(2):
        await log.db.write(lambda uow: seal(uow, service="staff", signer=signer, limit=4), actor="forger")
    return await log.check()


async def test_a_chain_made_anew_with_another_key_is_found(log: Log, sql: Sql) -> None:
    report = await _forge(log, sql, Ed25519Signer(Ed25519PrivateKey.generate()))
    assert report.first == Finding(2, 5, "block_signature")


async def test_a_chain_made_anew_with_the_stolen_key_differs_from_what_was_published(log: Log, sql: Sql) -> None:
    assert (await _forge(log, sql, log.signer)).first == Finding(2, None, "checkpoint_differs")


async def test_two_published_heads_of_one_block_are_a_fork(log: Log, sql: Sql) -> None:
    published = list(log.published)
    await _forge(log, sql, log.signer)
    row = sql("SELECT no, total, hash, sealed_at, key, signature FROM audit_block WHERE no = 3")[0]
    other = Checkpoint("staff", *row)
    report = await log.check(checkpoints=[*published[:1], other, published[2]])
    assert Finding(3, None, "checkpoint_differs") in report.findings


async def test_a_forged_checkpoint_is_not_believed(log: Log) -> None:
    forged = log.published[1]._replace(rows=7)
    assert (await log.check(checkpoints=[forged])).first == Finding(2, None, "checkpoint_signature")
    foreign = log.published[1]._replace(service="queue")
    assert (await log.check(checkpoints=[foreign])).first == Finding(2, None, "checkpoint_signature")


async def test_a_window_starts_from_a_signed_checkpoint_only(log: Log, sql: Sql) -> None:
    window = await log.check(start=log.published[0])
    assert (window.ok, window.rows, window.blocks) == (True, 8, 2)
    for start in (log.published[0]._replace(hash="x"), log.published[0]._replace(block=0)):
        assert (await log.check(start=start)).first == Finding(start.block, None, "checkpoint_signature")
    sql("DELETE FROM audit_row WHERE block = 1")  # retention: the oldest part is gone, by rule
    sql("DELETE FROM audit_block WHERE no = 1")
    assert (await log.check(start=log.published[0])).ok
    assert (await log.check()).first == Finding(1, None, "block_missing")


async def test_one_break_does_not_hide_or_spoil_the_rest(log: Log, sql: Sql) -> None:
    sql("UPDATE audit_row SET actor = 'x' WHERE seq = 6")
    await log.grow()
    report = await log.check()
    assert (report.findings, report.blocks) == ((Finding(2, 6, "row_altered"),), 4)
    assert (await log.check(start=log.published[1])).ok, "re-anchored after the break"


async def test_findings_are_counted_beyond_those_kept(log: Log, sql: Sql) -> None:
    await log.grow(250)
    sql("UPDATE audit_row SET actor = 'x'")
    report = await log.check()
    assert (report.found, len(report.findings)) == (262, 100)
