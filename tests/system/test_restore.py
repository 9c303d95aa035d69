"""Backup and restore rehearsed on the embedded pair: two services go back to an earlier moment, the others do not."""

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest
from wangdian_client.demo import Scenario, run_demo

from tests.chaos import evidence
from tests.chaos.flow import settle, wait_for_bank
from tests.chaos.test_rounds import audits

RESTORED = ("queue", "surveys")


def told(folder) -> dict[str, dict[str, set[int]]]:
    """By type and subject the sequences on the log."""
    found: dict[str, dict[str, set[int]]] = {}
    for kind, subject, sequence in evidence.rows(
        folder, "bus", "SELECT headers ->> 'ce_type', headers ->> 'ce_subject', headers ->> 'ce_sequence' FROM log"
    ):
        found.setdefault(kind, {}).setdefault(subject, set()).add(int(sequence))
    return found


@pytest.fixture
def system(running) -> Iterator:
    """The example bank after some customers, all of whose events have arrived."""
    running.start()
    running.wait_ready()
    wait_for_bank(running)
    come(running, 1)
    settle(running)
    return running


def come(system, seed) -> None:
    asyncio.run(run_demo(system.base_url, Scenario(visits=40, seed=seed, windows=2), system.token))


def backup(system, name, to) -> None:
    """A copy by SQLite's own backup, beside the running system."""
    with (
        closing(sqlite3.connect(f"file:{system.folder / name}.sqlite3?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(to / f"{name}.sqlite3")) as target,
    ):
        source.backup(target)


def restore(system, name, source) -> None:
    """The copy in the place of the database, none of whose other files may stay."""
    for old in system.folder.glob(f"{name}.sqlite3*"):
        old.unlink()
    (source / f"{name}.sqlite3").rename(system.folder / f"{name}.sqlite3")


def test_two_services_restored_to_an_earlier_moment_go_on_without_silence_or_doubles(system, warm, tmp_path) -> None:
    moment = datetime.now(UTC).replace(microsecond=0)
    for name in RESTORED:
        backup(system, name, tmp_path)
    kept = evidence.figures(system.folder)["visits.opened"][0]
    come(system, 2)
    settle(system)
    before = told(system.folder)
    system.terminate()
    for name in RESTORED:
        restore(system, name, tmp_path)
    assert evidence.figures(system.folder)["visits.opened"][0] == kept

    said = {}
    for name in RESTORED:
        arguments = ["restored", name, "--since", moment.strftime("%Y-%m-%dT%H:%M:%S%z")]
        code, said[name] = warm.run(arguments, system.environment, tmp_path / "said")
        assert code == 0, said
    forgotten = set(re.findall(r"^(\S+)  has 0, told \d+  queue.visit", said["queue"], re.MULTILINE))
    assert len(forgotten) == 40 and forgotten < before["queue.visit.opened.v1"].keys()

    system.start()
    system.wait_ready()
    come(system, 3)
    settle(system)
    after = told(system.folder)
    # Nothing new was told under a sequence that was taken, so nothing was passed over; sequences have no gaps.
    for kind in ("queue.window.opened.v1", "surveys.invitation.sent.v1"):
        assert before[kind].keys() <= after[kind].keys()
    everything: dict[str, set[int]] = {}
    for kind, subjects in after.items():
        for subject, sequences in subjects.items():
            everything.setdefault(f"{kind.split('.', maxsplit=1)[0]} {subject}", set()).update(sequences)
    assert all(found == set(range(1, len(found) + 1)) for found in everything.values())
    # What was told stays told: the aggregator counts the forgotten visits, and each visit once.
    ((counted,),) = evidence.rows(system.folder, "aggregator", "SELECT count(*) FROM fact_visit")
    assert counted == len(after["queue.visit.opened.v1"]) == kept + 80
    # Surveys heard the forgotten visits again and made the very same invitations: same id, same link.
    served = after["queue.visit.completed.v1"].keys()
    rows = evidence.rows(system.folder, "surveys", "SELECT visit, id FROM invitation")
    invitations = {row["visit"]: row["id"] for row in rows}
    assert invitations.keys() == served
    assert set(invitations.values()) == after["surveys.invitation.sent.v1"].keys()
    assert audits(system)
