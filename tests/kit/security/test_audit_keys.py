"""A service's own signing key: what signed before it is believed up to its block, and nobody else's after."""

import json
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from shared.clock import FixedClock
from shared.db.sqlite import SqliteDatabase
from shared.db.uow import Uow
from shared.security.audit import Checkpoint, sign
from shared.security.audit_keys import AuditKeys, ensure, load, path_of, renew, shared_keys
from shared.security.audit_log import Sealer
from shared.security.audit_verifier import Report
from shared.security.keyring import Keyring
from shared.security.verify_audit import verify_audit


class Log:
    """An audit log that is sealed by whichever keys are given, and verified by them."""

    def __init__(self, db: SqliteDatabase, clock: FixedClock) -> None:
        self.db = db
        self.clock = clock
        self.told: list[Checkpoint] = []

    async def grow(self, keys: AuditKeys, sealer: Sealer | None = None) -> None:
        async def act(uow: Uow) -> None:
            await uow.audit("open", object_type="window", object_id="w1", unit="b1")

        self.clock.advance(timedelta(seconds=1))
        await self.db.write(act, actor="u1")
        sealer = sealer or Sealer(self.db, keys)
        assert await sealer.turn() == 1
        assert sealer.head is not None
        self.told.append(sealer.head)

    async def check(self, keys: AuditKeys) -> Report:
        return await self.db.read(
            lambda reads: verify_audit(reads, service="staff", keys=keys.keys, older=keys.older, checkpoints=self.told)
        )


@pytest.fixture
def log(db: SqliteDatabase, clock: FixedClock) -> Log:
    return Log(db, clock)


def reasons(report: Report) -> list[tuple[int, str]]:
    return [(finding.block, finding.reason) for finding in report.findings]


async def test_a_log_from_before_goes_on_under_the_service_s_own_key(log: Log, keyring: Keyring, tmp_path) -> None:
    for _ in range(2):
        await log.grow(load(tmp_path, "staff", keyring))
    assert not load(tmp_path, "staff", keyring).own
    ensure(tmp_path, "staff", 2)
    keys = load(tmp_path, "staff", keyring)
    assert keys.own and keys.keys != [keyring.audit_signer().public_key]
    await log.grow(keys)
    report = await log.check(keys)
    assert (report.ok, report.blocks, report.anchored) == (True, 3, 3)


async def test_the_keyring_that_all_share_signs_nothing_any_more(log: Log, keyring: Keyring, tmp_path) -> None:
    shared = shared_keys("staff", keyring)
    await log.grow(shared)
    ensure(tmp_path, "staff", 1)
    await log.grow(shared)
    assert reasons(await log.check(load(tmp_path, "staff", keyring))) == [
        (2, "checkpoint_signature"),
        (2, "block_signature"),
    ]


async def test_no_other_service_s_key_signs(log: Log, keyring: Keyring, tmp_path) -> None:
    for service in ("staff", "queue"):
        ensure(tmp_path, service, 0)
    mine, thief = load(tmp_path, "staff", keyring), load(tmp_path, "queue", keyring)
    await log.grow(mine)
    forged = sign(log.told[0]._replace(block=2, rows=9), thief.signer)
    assert mine.believes(log.told[0]) and not mine.believes(forged) and not thief.believes(log.told[0])
    log.told.append(forged)
    assert reasons(await log.check(mine)) == [(2, "checkpoint_signature")]


async def test_a_forged_checkpoint_does_not_stop_the_sealer(log: Log, keyring: Keyring, tmp_path) -> None:
    """A block from the future would look like a log that lost its end."""
    ensure(tmp_path, "staff", 0)
    keys = load(tmp_path, "staff", keyring)
    await log.grow(keys)
    forged = sign(log.told[0]._replace(block=99), shared_keys("queue", keyring).signer)

    async def witness() -> list[Checkpoint]:
        return [log.told[0], forged]

    await log.grow(keys, Sealer(log.db, keys, witness=witness))
    assert (await log.check(keys)).ok


async def test_a_key_is_renewed_and_the_one_before_vouches_up_to_its_block(
    log: Log, keyring: Keyring, tmp_path
) -> None:
    renew(tmp_path, "staff", 0)
    first = load(tmp_path, "staff", keyring)
    assert first.older == ()
    await log.grow(first)
    renew(tmp_path, "staff", 1)
    second = load(tmp_path, "staff", keyring)
    await log.grow(second)
    assert (await log.check(second)).ok
    await log.grow(first)
    assert reasons(await log.check(second)) == [(3, "checkpoint_signature"), (3, "block_signature")]
    with pytest.raises(ValueError, match="later blocks"):
        renew(tmp_path, "staff", 0)


def test_the_file_is_its_service_s_and_its_owner_s_alone(keyring: Keyring, tmp_path: Path) -> None:
    ensure(tmp_path, "staff", 0)
    path = path_of(tmp_path, "staff")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_text()
    ensure(tmp_path, "staff", 7)
    assert path.read_text() == before, "made once"
    assert set(json.loads(before)) == {"service", "key", "older"}
    path.rename(path_of(tmp_path, "queue"))
    with pytest.raises(ValueError, match="holds the key of staff"):
        load(tmp_path, "queue", keyring)
