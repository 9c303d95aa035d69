"""What somebody with the database's password can do to an audit log: `wangdian audit verify` names each of it.

The log and the checkpoints are those of a running system: rows of real requests, sealed, told, and read back from the
topic by the command. ``tests/kit/security/test_audit_attacks.py`` goes through every column and every block.
"""

import asyncio
import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from services.__main__ import app
from services.registry import load
from shared.bus.base import Message
from shared.bus.embedded import EmbeddedBus
from shared.clock import SystemClock
from shared.contracts.audit import AuditCheckpoint
from shared.db.sqlite import SqliteDatabase
from shared.db.uow import UnitContext
from shared.events.envelope import headers_of
from shared.ids import uuid7
from shared.security.audit import Checkpoint, checkpoint_of, sign
from shared.security.audit_keys import load as load_keys
from shared.security.audit_log import event_of
from shared.security.keyring import FileKeySource, Keyring
from shared.security.records import RecordKeys
from shared.security.sealer import seal
from shared.security.signing import Ed25519Signer
from shared.testing.system import MORNING, system
from shared.topics import TOPICS
from tests.system.small_bank import furnish

SERVICE = "queue"


@dataclass
class Victim:
    """A stopped system's folder, and what an attacker does to it."""

    folder: Path
    earlier: Path

    @property
    def database(self) -> Path:
        return self.folder / f"{SERVICE}.sqlite3"

    def sql(self, *statements: str) -> None:
        """As somebody who may write to the database."""
        with closing(sqlite3.connect(self.database)) as raw, raw:
            for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                raw.execute(f'DROP TRIGGER "{name}"')
            for statement in statements:
                raw.execute(statement)

    def one(self, question: str) -> int:
        with closing(sqlite3.connect(self.database)) as raw:
            return int(raw.execute(question).fetchone()[0])

    @property
    def keyring(self) -> Keyring:
        return Keyring(FileKeySource(self.folder / "keys"))

    def signer(self, service: str) -> Ed25519Signer:
        """What a process of ``service`` signs with; ``""`` means the key that all derive from the keyring."""
        if not service:
            return self.keyring.audit_signer()
        return load_keys(self.folder / "keys", service, self.keyring).signer

    def chain_anew(self, service: str = SERVICE) -> None:
        """Seal what is not sealed, with the signing key that was stolen with a service, as the sealer would."""
        keys, signer = self.keyring, self.signer(service)

        async def run() -> None:
            db = SqliteDatabase(self.database, SystemClock(), UnitContext(SERVICE, RecordKeys(keys)))
            await db.open()
            for _ in range(2):
                await db.write(lambda uow: seal(uow, service=SERVICE, signer=signer, limit=5), actor="forger")
            await db.close()

        asyncio.run(run())

    def tell(self, block: int, service: str | None = None) -> None:
        """Put a checkpoint on the topic that the sealer never made: unsigned, or signed by another service."""
        told = Checkpoint(SERVICE, block, 3, "0" * 64, "2026-03-02T01:00:00.000000Z", "k", "c2ln")
        if service is not None:
            told = sign(told._replace(key=self.signer(service).key_id), self.signer(service))
        data = event_of(told)
        headers = headers_of(
            event_id=uuid7(), service=SERVICE, data=data, subject=SERVICE, sequence=99, occurred_at=MORNING,
            recorded_at=MORNING, origin="live", traceparent="",
        )  # fmt: skip

        async def run() -> None:
            bus = EmbeddedBus(self.folder / "bus.sqlite3", SystemClock(), [topic.name for topic in TOPICS], 3)
            await bus.open()
            assert list(await bus.publish([Message(AuditCheckpoint.topic, SERVICE, headers, data.write())])) == [None]
            await bus.close()

        asyncio.run(run())


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A folder after three blocks were sealed and told, and a copy from after the first."""
    folder, earlier = tmp_path_factory.mktemp("log") / "data", tmp_path_factory.mktemp("earlier") / "data"

    async def live(first: bool) -> None:
        async with system(load(), folder) as running:
            if first:
                await furnish(running)
            for _ in range(1 if first else 2):
                for reason in ("first", "second", "third"):
                    granted = {"staff": "T0001", "qualification": "fx", "reason": reason}
                    path = "/queue/v1/branches/gz-001/overrides"
                    await running.call("POST", path, "branch_manager", staff="M0001", json=granted, expect=201)
                for runtime in running.app.state.services.values():
                    await runtime.sealer.turn()
                await running.settle()

    asyncio.run(live(True))
    shutil.copytree(folder, earlier)
    asyncio.run(live(False))
    return folder, earlier


@pytest.fixture
def victim(told: tuple[Path, Path], tmp_path: Path) -> Victim:
    folder = tmp_path / "data"
    shutil.copytree(told[0], folder)
    return Victim(folder, told[1])


@pytest.fixture
def verify(victim: Victim, monkeypatch: pytest.MonkeyPatch) -> Callable[[], tuple[int, str]]:
    """Runs the command on the folder: exit code and what it says."""

    def run() -> tuple[int, str]:
        monkeypatch.setenv("WANGDIAN_DATA", str(victim.folder))
        said = CliRunner().invoke(app, ["audit", "verify", "--service", SERVICE])
        return said.exit_code, said.output

    return run


LAST_ROW = "(SELECT max(seq) FROM audit_row WHERE block = 2)"
FIRST_ROW = "(SELECT min(seq) FROM audit_row WHERE block = 2)"
NEXT_ROW = "(SELECT min(seq) FROM audit_row WHERE block = 2 AND seq > 0)"
"""The first that is left when the first was taken away."""

ATTACKS = {
    "a row rewritten": ([f"UPDATE audit_row SET actor = 'somebody' WHERE seq = {FIRST_ROW}"], "row_altered"),
    "a row deleted": ([f"DELETE FROM audit_row WHERE seq = {FIRST_ROW}"], "row_missing"),
    "two rows in each other's place": (
        [
            f"UPDATE audit_row SET seq = -1 WHERE seq = {FIRST_ROW}",
            f"UPDATE audit_row SET seq = seq - 1 WHERE seq = {NEXT_ROW}",
            f"UPDATE audit_row SET seq = {NEXT_ROW} + 1 WHERE seq = -1",
        ],
        "row_altered",
    ),
    "a row put in": (
        [
            "INSERT INTO audit_row SELECT 100000, 'n', at, actor, action, object_type, object_id, unit, purpose,"
            f" detail, trace_id, 2 FROM audit_row WHERE seq = {FIRST_ROW}"
        ],
        "row_inserted",
    ),
    "the end cut off": (
        ["DELETE FROM audit_row WHERE block = 3", "DELETE FROM audit_block WHERE no = 3"],
        "log_truncated",
    ),
    "the beginning cut off": (
        ["DELETE FROM audit_row WHERE block = 1", "DELETE FROM audit_block WHERE no = 1"],
        "block_missing",
    ),
    "everything gone": (["DELETE FROM audit_row", "DELETE FROM audit_block"], "log_truncated"),
    "a block's count changed": (["UPDATE audit_block SET total = total + 1 WHERE no = 2"], "block_altered"),
}  # fmt: skip


def test_an_honest_log_is_confirmed_to_its_end_by_the_topic(verify, victim: Victim) -> None:
    code, said = verify()
    assert (code, said.split()[:2]) == (0, [SERVICE, "ok:"])
    assert "in 3 blocks, 0 not sealed yet, confirmed to block 3" in said


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_named_and_the_command_fails(verify, victim: Victim, attack: str) -> None:
    statements, reason = ATTACKS[attack]
    victim.sql(*statements)
    code, said = verify()
    assert (code, said.split()[:3]) == (1, [SERVICE, "NOT", "OK:"])
    assert said.splitlines()[1].endswith(f": {reason}"), said


def test_the_product_s_own_account_can_only_add(victim: Victim) -> None:
    """Before any of this: the tables refuse it, until somebody takes the triggers away."""
    for statement in ("UPDATE audit_row SET actor = 'x'", "DELETE FROM audit_row", "DELETE FROM audit_block"):
        with (
            closing(sqlite3.connect(victim.database)) as raw,
            pytest.raises(sqlite3.IntegrityError, match="only added to"),
        ):
            raw.execute(statement)


def test_a_rewritten_row_is_named_by_its_number(verify, victim: Victim) -> None:
    row = victim.one(f"SELECT {LAST_ROW}")
    victim.sql(f"UPDATE audit_row SET detail = replace(detail, '}}', ' }}') WHERE seq = {row}")
    assert f"block 2 row {row}: row_altered" in verify()[1]


def test_a_history_chained_anew_with_the_stolen_key_differs_from_the_topic(verify, victim: Victim) -> None:
    victim.sql(
        f"UPDATE audit_row SET actor = 'somebody' WHERE seq = {FIRST_ROW}",
        "UPDATE audit_row SET block = NULL WHERE block > 1",
        "DELETE FROM audit_block WHERE no > 1",
    )
    victim.chain_anew()
    code, said = verify()
    assert (code, "block 2 row None: checkpoint_differs" in said) == (1, True), said


def test_a_database_put_back_to_yesterday_is_shorter_than_what_was_told(verify, victim: Victim) -> None:
    """A rollback is a log that was honest once: only what was told since gives it away."""
    shutil.copyfile(victim.earlier / victim.database.name, victim.database)
    code, said = verify()
    assert code == 1
    assert "block 2 row None: log_truncated" in said, said


def test_a_checkpoint_that_nobody_signed_is_not_believed(verify, victim: Victim) -> None:
    """Each service may write the topic; none can speak for another without its key."""
    victim.tell(block=4)
    code, said = verify()
    assert code == 1
    assert "block 4 row None: checkpoint_signature" in said, said
    assert "confirmed to block 3" in said


OTHERS = pytest.mark.parametrize("other", ["staff", "surveys", ""], ids=["staff", "surveys", "the shared keyring"])


@OTHERS
def test_another_service_s_keys_make_no_checkpoint_of_this_one(verify, victim: Victim, other: str) -> None:
    """What a process of another service holds, its own key and the bank's keyring, speaks for nobody else."""
    victim.tell(4, other)
    code, said = verify()
    assert code == 1
    assert "block 4 row None: checkpoint_signature" in said, said
    assert "confirmed to block 3" in said


@OTHERS
def test_another_service_s_keys_seal_no_block_of_this_one(verify, victim: Victim, other: str) -> None:
    victim.sql(
        "UPDATE audit_row SET block = NULL WHERE block > 2",
        "DELETE FROM audit_block WHERE no > 2",
    )
    victim.chain_anew(other)
    code, said = verify()
    assert code == 1
    assert "block 3 row" in said and "block_signature" in said, said


def test_a_folder_from_before_services_had_keys_of_their_own_verifies(verify, victim: Victim) -> None:
    """Its blocks were signed with the key that all shared; from here on that one is believed no further."""
    shared = victim.keyring.audit_signer()
    with closing(sqlite3.connect(victim.database)) as raw:
        raw.row_factory = lambda cursor, row: SimpleNamespace(
            **dict(zip([name for name, *_ in cursor.description], row, strict=True))
        )
        blocks = raw.execute("SELECT * FROM audit_block ORDER BY no").fetchall()
    for block in blocks:
        block.key = shared.key_id
        made = sign(checkpoint_of(SERVICE, block), shared)
        victim.sql(f"UPDATE audit_block SET key = '{made.key}', signature = '{made.signature}' WHERE no = {block.no}")
    shutil.rmtree(victim.folder / "keys" / "audit")
    for bus in victim.folder.glob("bus.sqlite3*"):
        bus.unlink()
    code, said = verify()
    assert (code, said.split()[:2]) == (0, [SERVICE, "ok:"]), said
    assert "in 3 blocks" in said
    victim.tell(4, "")
    assert "block 4 row None: checkpoint_signature" in verify()[1]


def test_a_key_is_made_for_a_service_that_exists_and_vouches_for_what_was_sealed(
    victim: Victim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANGDIAN_DATA", str(victim.folder))

    def made(*arguments: str) -> tuple[int, str]:
        said = CliRunner().invoke(app, ["keys", "audit", *arguments])
        return said.exit_code, said.output

    path = victim.folder / "keys" / "audit" / f"{SERVICE}.json"
    before = json.loads(path.read_text())
    assert made(SERVICE, "--sealed", "3") == (0, f"{path}\n")
    after = json.loads(path.read_text())
    assert after["key"] != before["key"] and [each["until"] for each in after["older"]] == [3]
    assert made(SERVICE, "--sealed", "2")[0] == 1
    assert made("nobody")[0] == 2
    monkeypatch.setenv("WANGDIAN_DATA", str(victim.folder))
    said = CliRunner().invoke(app, ["audit", "verify", "--service", SERVICE])
    assert said.exit_code == 0, said.output
