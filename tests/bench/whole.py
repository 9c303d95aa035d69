"""The whole system with both months of a real bank in it: import rate, query and scrape times, memory."""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil
from wangdian_client import Wangdian

from shared.testing.data import BANK, MONTHS
from shared.testing.process import RunningSystem
from tests.bench.rows import Row

BRANCH = "old-001"
ASKED = 40


def _import(bank: Wangdian, file: Path) -> tuple[int, float]:
    start = time.perf_counter()
    run = bank.queue.imports.upload(file, "anonymous-bank", BRANCH)
    report = bank.queue.imports.wait(run["id"])
    if report["status"] != "completed":
        raise SystemExit(f"the import ended as {report['status']}")
    return report["lines"], time.perf_counter() - start


def _median_ms(ask: Callable[[], object]) -> float:
    times = []
    for _ in range(ASKED):
        start = time.perf_counter()
        ask()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def _quiet(running: RunningSystem, headers: dict[str, str]) -> None:
    """Wait until every event of the import has had its effect."""
    for _ in range(600):
        flow = httpx.get(f"{running.base_url}/operator/v1/aggregator/flow", headers=headers).json()
        sent = httpx.get(f"{running.base_url}/operator/v1/queue/flow", headers=headers).json()
        if flow["lag"] == 0 and sent["outbox_waiting"] == 0:
            return
        time.sleep(0.2)
    raise SystemExit("the aggregator did not catch up")


def run() -> list[Row]:
    """The rows of the whole system; none where the data sets are absent."""
    if BANK is None:
        return []
    with tempfile.TemporaryDirectory() as name, RunningSystem(Path(name)) as running:
        running.start()
        running.wait_ready()
        running.wait_for_bank()
        operator = {"authorization": f"Bearer {running.token('operator', unit='*')}"}
        head_office = {"authorization": f"Bearer {running.token('head_office', unit='*')}"}
        process = psutil.Process(running.pid)
        idle = process.memory_info().rss / 1e6

        def token() -> str:
            return running.token("integration", unit="*")

        with Wangdian(running.base_url, token_provider=token, timeout=60) as bank:
            done = [_import(bank, BANK / month) for month in MONTHS]
            _quiet(running, operator)
            loaded = process.memory_info().rss / 1e6
            year = {"unit": BRANCH, "from": "1999-01-01", "to": "1999-12-31", "by": "day"}
            with httpx.Client(base_url=running.base_url, headers=head_office) as client:
                query = max(
                    _median_ms(
                        lambda m=metric: client.get(f"/aggregator/v1/metrics/{m}", params=year).raise_for_status()
                    )
                    for metric in ("wait.seconds", "wait.service_level", "visits.served")
                )
                scrape = _median_ms(lambda: client.get("/metrics").raise_for_status())
            _import(bank, BANK / MONTHS[0])
            _quiet(running, operator)
            third = process.memory_info().rss / 1e6
    lines, seconds = sum(n for n, _ in done), sum(s for _, s in done)
    return [
        Row("import", lines / seconds, "lines/s", wanted=2000),
        Row("a year of days of one branch", query, "ms", wanted=50, at_most=True),
        Row("/metrics", scrape, "ms", wanted=50, at_most=True),
        Row("memory idle", idle, "MB"),
        Row("memory with both months", loaded, "MB", wanted=350, at_most=True),
        Row("memory after a third import", third, "MB", wanted=max(350.0, loaded * 1.05), at_most=True),
    ]
