"""What operations can rely on: one process a folder, figures that stay, and events that wait for a person."""

import asyncio
import json
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime

from wangdian_client import Conflict

from shared.ids import uuid7
from shared.testing.process import RunningSystem, launch
from tests.chaos import evidence
from tests.chaos.flow import bank_of, flows, settle
from tests.system.conftest import customers

UNIT = "gz-001"
WHOLE = ("visits.opened", "visits.served", "visits.abandoned", "wait.seconds", "survey.csat", "survey.response_rate")


def figures(system: RunningSystem) -> dict[str, list[tuple[object, ...]]]:
    """Metrics of the whole bank by day, as shown by HTTP."""
    with bank_of(system, "head_office") as bank:
        return {
            metric: [
                (p["from"], p["n"], p["numerator"], p["denominator"], p["value"], p["p50"], p["p90"])
                for p in bank.aggregator.metrics.get(metric, unit="hq")["points"]
            ]
            for metric in WHOLE
        }


def started_anew(system: RunningSystem) -> None:
    system.start()
    system.wait_ready()
    settle(system)


def test_figures_are_the_same_after_a_restart_and_a_kill(bank) -> None:
    before = figures(bank)
    assert before["visits.opened"]
    assert bank.terminate() in (0, -15)
    started_anew(bank)
    assert figures(bank) == before
    bank.kill()
    started_anew(bank)
    assert figures(bank) == before


def test_figures_are_the_same_after_a_replay(bank, wangdian) -> None:
    before, invited = figures(bank), evidence.rows(bank.folder, "surveys", "SELECT id FROM invitation")
    for service in ("aggregator", "surveys"):
        code, said = wangdian("events", "rewind", "--service", service, "queue.events")
        assert (code, said.split(":")[0]) == (0, service)
    code, _ = wangdian("events", "rewind", "--service", "aggregator", "surveys.events")
    assert code == 0
    settle(bank)
    assert figures(bank) == before
    assert evidence.rows(bank.folder, "surveys", "SELECT id FROM invitation") == invited


def test_a_second_process_is_refused_and_changes_nothing(bank, wangdian) -> None:
    before = figures(bank)
    code, said = wangdian("run")
    assert code == 3
    assert "another process runs on the data folder" in said
    assert str(bank.folder) in said
    assert bank.alive
    assert figures(bank) == before


def test_tokens_and_audit_work_beside_the_running_system(bank, wangdian) -> None:
    code, token = wangdian("token", "--role", "operator", "--unit", "*")
    assert (code, token.count(".")) == (0, 2)
    code, said = wangdian("audit", "verify")
    assert code == 0, said
    assert [line.split()[:2] for line in said.splitlines()] == [[f"{name}", "ok:"] for name in evidence.SERVICES]
    bank.terminate()
    assert wangdian("audit", "verify")[0] == 0
    started_anew(bank)


def test_a_new_interpreter_starts_the_system_too(tmp_path) -> None:
    with RunningSystem(tmp_path, start=launch, WANGDIAN_EXAMPLE_BANK="false") as system:
        system.start()
        system.wait_ready()
        assert system.answer("/livez") == 200
        assert system.terminate() in (0, -15)


def serve_one(system: RunningSystem) -> str:
    """One customer from ticket to the end of the service; the id of the visit."""
    with bank_of(system, "kiosk", UNIT) as kiosk:
        return kiosk.queue.tickets.issue(UNIT, "cash", channel="kiosk")["id"]


def finish(system: RunningSystem, visit: str) -> None:
    """Call until it is that customer's turn, and serve everybody."""
    with bank_of(system, "teller", UNIT, "T0001") as teller:
        with suppress(Conflict):
            teller.queue.windows.open(UNIT, 1, services=["cash"])
        while (called := teller.queue.windows.call_next(UNIT, 1)) is not None:
            teller.queue.visits.start(called["id"])
            teller.queue.visits.finish(called["id"])
        teller.queue.windows.close(UNIT, 1)
        assert teller.queue.visits.get(visit)["status"] == "served"


def served(system: RunningSystem) -> int:
    """The whole bank's figure."""
    return sum(int(point[2]) for point in figures(system)["visits.served"])


def change(system: RunningSystem, service: str, script: str) -> None:
    """Tamper with a service's file, as a fault would."""
    with closing(sqlite3.connect(system.folder / f"{service}.sqlite3", timeout=10)) as raw:
        raw.executescript(script)


def letters(wangdian, service: str) -> list[list[str]]:
    code, said = wangdian("events", "list", "--service", service)
    assert code == 0, said
    return [line.split() for line in said.splitlines()]


def test_a_failing_visit_waits_alone_until_it_is_retried(bank, wangdian) -> None:
    visit, before = serve_one(bank), served(bank)
    settle(bank)
    # The aggregator's file takes no change of this one visit any more.
    change(
        bank, "aggregator",
        f"CREATE TRIGGER fault BEFORE INSERT ON fact_visit WHEN NEW.visit = '{visit}'"
        " BEGIN SELECT RAISE(ABORT, 'a fault'); END;",
    )  # fmt: skip
    finish(bank, visit)
    others = [serve_one(bank) for _ in range(3)]
    finish(bank, others[-1])
    settle(bank, parked=1)
    assert served(bank) == before + 3
    parked = letters(wangdian, "aggregator")
    assert {letter[3] for letter in parked} == {visit}
    assert len(parked) == 3, "called, started and completed wait in their order"
    head = parked[0][0]
    assert wangdian("events", "retry", head, "--service", "aggregator")[0] == 0
    settle(bank, parked=1)
    assert served(bank) == before + 3, "the fault is still there"
    change(bank, "aggregator", "DROP TRIGGER fault;")
    assert wangdian("events", "retry", head, "--service", "aggregator") == (0, f"{head} parked\n")
    settle(bank)
    assert served(bank) == before + 4
    assert letters(wangdian, "aggregator") == []


def append(system: RunningSystem, subject: str, sequence: int, payload: bytes, kind: str) -> None:
    """A record that another producer has put on the bus."""
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    headers = {
        "ce_specversion": "1.0", "ce_id": uuid7(), "ce_source": "/services/queue", "ce_type": kind,
        "ce_subject": subject, "ce_time": now, "ce_sequence": str(sequence), "ce_partitionkey": subject,
        "ce_recordedtime": now, "ce_origin": "import",
    }  # fmt: skip
    with closing(sqlite3.connect(system.folder / "bus.sqlite3", timeout=10, isolation_level=None)) as raw:
        raw.execute("BEGIN IMMEDIATE")
        (at,) = raw.execute("SELECT next FROM part WHERE topic = 'queue.events' AND \"partition\" = 0").fetchone()
        raw.execute(
            "INSERT INTO log VALUES ('queue.events', 0, ?, ?, ?, ?, ?)",
            (at, subject, json.dumps(headers), payload, now.rstrip("Z").replace("T", " ")),
        )
        raw.execute("UPDATE part SET next = ? WHERE topic = 'queue.events' AND \"partition\" = 0", (at + 1,))
        raw.execute("COMMIT")


def told(visit: str, status: str, wait: int) -> bytes:
    """The state of a visit; a negative wait fits the contract's types and no figure."""
    at = datetime.now(UTC).isoformat()
    return json.dumps(
        {
            "visit": visit, "unit": UNIT, "business_date": at[:10], "number": "Z001", "service": "cash",
            "ticket_class": "ordinary", "channel": "import", "status": status, "issued_at": at, "called_at": at,
            "wait_seconds": wait, "handling_seconds": None,
        }
    ).encode()  # fmt: skip


def test_poison_is_given_up_by_a_person_and_what_waits_behind_it_goes_on(bank, wangdian) -> None:
    visit, before = uuid7(), served(bank)
    append(bank, visit, 1, told(visit, "called", -1), "queue.visit.called.v1")
    settle(bank, parked=1)
    append(bank, visit, 2, told(visit, "served", 30), "queue.visit.completed.v1")
    settle(bank, parked=1)
    poison, behind = letters(wangdian, "aggregator")
    assert (poison[3], behind[3]) == (visit, visit)
    assert served(bank) == before
    code, _ = wangdian("events", "discard", poison[0], "--service", "aggregator", "--reason", "impossible_wait")
    assert code == 0
    settle(bank)
    assert served(bank) == before + 1
    assert letters(wangdian, "aggregator") == []


def test_an_unreadable_event_is_buried_at_once_and_blocks_nobody(bank, wangdian) -> None:
    visit, before = uuid7(), served(bank)
    append(bank, visit, 1, b"{", "queue.visit.completed.v1")
    append(bank, uuid7(), 1, b"{", "queue.visit.unheard_of.v9")
    append(bank, visit, 2, told(visit, "served", 30), "queue.visit.completed.v1")
    settle(bank)
    assert served(bank) == before + 1
    with bank_of(bank, "operator") as operator:
        assert {name: flow["dead"] for name, flow in flows(operator).items()} == {
            "staff": 0, "queue": 0, "surveys": 1, "aggregator": 1,
        }  # fmt: skip
    for service in ("surveys", "aggregator"):
        ((letter, state, *_),) = letters(wangdian, service)
        assert state == "dead"
        assert wangdian("events", "discard", letter, "--service", service, "--reason", "unreadable")[0] == 0
        assert letters(wangdian, service) == []


def test_a_day_later_customers_still_come(bank) -> None:
    before = served(bank)
    asyncio.run(customers(bank, seed=2, visits=5))
    settle(bank)
    assert served(bank) > before


def test_a_doctor_finds_what_is_wrong_and_says_what_to_do(bank, wangdian) -> None:
    code, said = wangdian("doctor")
    lines = said.splitlines()
    assert (code, {line[:4] for line in lines}) == (0, {"ok  "}), said
    for each in ("migrations", "s from the database's", "disk are free", "keys that are not here", "audit log of"):
        assert sum(each in line for line in lines) == 4, each
    file = bank.folder / "staff.sqlite3"
    lost = "UPDATE data_key SET kid = ? WHERE kid = ? AND record = (SELECT min(record) FROM data_key)"
    with closing(sqlite3.connect(file, timeout=10)) as aside, aside:
        (kid,) = aside.execute("SELECT kid FROM data_key").fetchone()
        assert aside.execute(lost, ("k9", kid)).rowcount == 1
    try:
        code, said = wangdian("doctor")
        (red,) = [line for line in said.splitlines() if line.startswith("RED")]
        assert code == 1
        assert red.startswith("RED staff: 1 data keys are wrapped by keys that are not here")
        assert "keyring.json" in red
    finally:
        with closing(sqlite3.connect(file, timeout=10)) as aside, aside:
            aside.execute(lost, (kid, "k9"))
