"""SIGKILL at each step of write, relay and consumer, under load: nothing acknowledged is lost or done twice."""

import asyncio
import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from wangdian_client import Unreachable
from wangdian_client.demo import Journal, NothingOpen, Scenario, read_journal, run_demo

from shared.testing.process import Died, RunningSystem
from tests.chaos import evidence
from tests.chaos.flow import bank_of, settle, wait_for_bank
from tests.chaos.recorder import Recorder, Sent, repeat_unanswered, replies_kept
from tests.chaos.rounds import ANY_MOMENT, POINTS, Rounds
from tests.history.load import head_starts, judge
from tests.history.record import Book, Historian

FIRST_STARTS = 4
RANK = {"waiting": 0, "called": 1, "serving": 2, "served": 3, "no_show": 3, "left": 3}
MANY = 20_000
ROUNDS = int(os.environ.get("CHAOS_ROUNDS", "50"))
SEED = int(os.environ.get("CHAOS_SEED", "1"))


def load_the_bank(rounds: Rounds) -> None:
    """The very first starts are killed as well, while tables are made and the bank is loaded."""
    for moment in range(FIRST_STARTS):
        rounds.system.start()
        if moment:
            with suppress(Died):
                rounds.system.wait_ready()
        rounds.system.wait_dead(0.3 * (moment + 1))
        rounds.system.kill()
        rounds.kills["first start"] += 1
    rounds.system.start()
    rounds.system.wait_ready()
    wait_for_bank(rounds.system)
    settle(rounds.system)
    rounds.system.kill()


async def customers(system: RunningSystem, recorder: Recorder, journal: Journal, seed: int, visits: int) -> None:
    """Customers, kiosks and tellers, who go on whatever happens to the system until all are served."""
    scenario = Scenario(
        visits=visits, seed=seed, concurrency=4, windows=3, invitation_seconds=5.0, arrival_seconds=0.1,
        service_seconds=0.05, max_seconds=86_400.0,
    )  # fmt: skip
    await run_demo(system.base_url, scenario, system.token, journal=journal, transport=recorder.again())


async def under_load(rounds: Rounds, count: int, recorder: Recorder, journal: Journal) -> None:
    """Play the rounds while customers come; a fault of theirs ends the rounds."""

    async def come() -> None:
        day = 0
        while True:
            day += 1
            # Tellers are seated before the patience of the demo is endless: a crash there begins another day.
            with suppress(NothingOpen, Unreachable):
                await customers(rounds.system, recorder, journal, day, MANY)

    coming = asyncio.create_task(come())
    playing = asyncio.create_task(asyncio.to_thread(rounds.play, count))
    try:
        await asyncio.wait({coming, playing}, return_when=asyncio.FIRST_COMPLETED)
        assert not coming.done(), coming.exception()
        await playing
    finally:
        rounds.abandoned.set()
        coming.cancel()
        await asyncio.gather(coming, playing, return_exceptions=True)


def check_visits(folder: Path, writes: list[Sent]) -> tuple[list[str], list[str]]:
    """(lost, doubled): acknowledged visits with their states, and visits that no request asked for."""
    told: dict[str, list[dict[str, Any]]] = {}
    issued: list[str] = []
    for write in writes:
        if "/queue/v1/" not in write.path or not write.reply:
            continue
        reply = json.loads(write.reply)
        if reply.get("number"):
            told.setdefault(reply["id"], []).append(reply)
        if write.path.endswith("/tickets"):
            issued.append(reply["id"])
    lost = []
    found = evidence.visit_states(folder, told)
    for visit, replies in told.items():
        row = found.get(visit)
        if row is None:
            lost.append(f"visit {visit}")
            continue
        newest = max(replies, key=lambda reply: RANK[reply["status"]])
        further = RANK[row["status"]] > RANK[newest["status"]]
        if row["number"] != newest["number"] or not (row["status"] == newest["status"] or further):
            lost.append(f"visit {visit}: {newest['status']} was acknowledged, it is {row['status']}")
        if row["version"] < max(reply.get("version", 1) for reply in replies):
            lost.append(f"visit {visit}: version {row['version']}")
    everything = {row["id"] for row in evidence.rows(folder, "queue", "SELECT id FROM visit")}
    doubled = [f"visit {visit}" for visit in everything - set(issued)]
    doubled += [f"visit {visit} was issued twice" for visit in set(issued) if issued.count(visit) > 1]
    return lost, doubled


def check_responses(folder: Path, writes: list[Sent]) -> tuple[list[str], list[str]]:
    """(lost, doubled): one stored response for each acknowledged one."""
    given = sum(write.path.endswith("/response") for write in writes)
    ((kept,),) = evidence.rows(folder, "surveys", "SELECT count(*) FROM response")
    return [f"{given - kept} responses"] * (kept < given), [f"{kept - given} responses"] * (kept > given)


def figures_shown(system: RunningSystem) -> dict[str, tuple[int, int]]:
    """The metrics of the whole bank as the aggregator shows them."""
    shown = {}
    days = "SELECT min(business_date) AS first, max(business_date) AS last FROM visit"
    (span,) = evidence.rows(system.folder, "queue", days)
    with bank_of(system, "head_office") as bank:
        for metric in evidence.figures(system.folder):
            points = bank.aggregator.metrics.get(metric, unit="hq", from_=span["first"], to=span["last"], by="total")[
                "points"
            ]
            total = [(round(point["numerator"] or 0), round(point["denominator"] or 0)) for point in points]
            shown[metric] = (sum(n for n, _ in total), sum(d for _, d in total))
    return shown


def audits(system: RunningSystem) -> list[str]:
    """What is wrong with the audit logs."""
    with bank_of(system, "auditor") as bank:
        reports = [bank.request("GET", f"/operator/v1/{name}/audit/verify") for name in evidence.SERVICES]
    return [f"audit of {report['service']}: {report['findings']}" for report in reports if not report["ok"]]


@pytest.mark.timeout(300 + 20 * ROUNDS)
async def test_nothing_is_lost_or_done_twice_whenever_the_process_dies(running, tmp_path) -> None:
    rounds, begun = Rounds(running, SEED), time.monotonic()
    await asyncio.to_thread(load_the_bank, rounds)
    with Journal(tmp_path / "journal.ndjson") as journal, Book(tmp_path / "history.jsonl") as book:
        recorder = Recorder(lambda: Historian(book))
        await under_load(rounds, ROUNDS, recorder, journal)
        running.start()
        await asyncio.to_thread(running.wait_ready)
        cut_off = await repeat_unanswered(running.base_url, recorder)
        await customers(running, recorder, journal, 0, 20)
    await asyncio.to_thread(settle, running)
    lost = await replies_kept(running.base_url, recorder)
    await asyncio.to_thread(settle, running)
    shown, wrong = figures_shown(running), audits(running)
    policy = head_starts(running.base_url, lambda: running.token("head_office"))
    broken, proven = judge(tmp_path / "history.jsonl", policy)
    running.terminate()
    writes = recorder.acknowledged
    missing, doubled = check_visits(running.folder, writes)
    unkept, kept_twice = check_responses(running.folder, writes)
    entries = read_journal(tmp_path / "journal.ndjson")
    known = {write.key for write in writes}
    report = {
        "seed": SEED,
        "rounds": ROUNDS,
        "kills": dict(rounds.kills.most_common()),
        "kills_while_starting": rounds.while_starting,
        "mean_start_seconds": round(sum(rounds.starts) / max(1, len(rounds.starts)), 2),
        "seconds": round(time.monotonic() - begun),
        "writes": len(writes),
        "acknowledged_after_repetition": sum(write.attempts > 1 for write in writes),
        "cut_off": cut_off,
        "visits": evidence.figures(running.folder)["visits.opened"][0],
        "lost": lost + missing + unkept + [entry["key"] for entry in entries if entry["key"] not in known],
        "doubled": doubled + kept_twice,
        "wrong": wrong + evidence.faults(running.folder) + broken,
        "history": proven,
        "figures": shown,
    }
    (tmp_path / "report.json").write_text(json.dumps(report, ensure_ascii=False, indent=1))
    sys.stdout.write(json.dumps(report, ensure_ascii=False, indent=1) + "\n")
    assert (report["lost"], report["doubled"], report["wrong"]) == ([], [], [])
    assert shown == evidence.figures(running.folder)
    assert report["visits"] > ROUNDS
    if len(POINTS) <= ROUNDS:
        assert set(rounds.kills) >= {ANY_MOMENT, *POINTS}
