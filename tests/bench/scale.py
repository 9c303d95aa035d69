"""A bank of 40,000 branches with 30 days of cells: how long a question about any of its units takes, and a scrape.

Cells are written straight into the tables, and the subtotals of those units inside the tree that are asked about are
summed from them. Questions go over HTTP, with as many changes not carried up yet as a busy second leaves.
"""

import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from services.aggregator.collector.source import collect
from services.aggregator.figures import service as figures
from services.aggregator.metrics import generations, lifting, queries, subtotals
from services.aggregator.metrics import service as metrics
from services.aggregator.metrics.contributions import contributions
from services.aggregator.metrics.definitions import METRICS
from services.aggregator.metrics.models import NO_BUCKET
from services.aggregator.metrics.rollups import ALL_DAYS, STRIPES
from services.aggregator.metrics.service import Question
from services.aggregator.metrics.sources import (
    SUMS,
    bucket_in_sql,
    cell,
    is_level,
    kept_bucket,
    second,
    subtotal,
    total,
    whole,
)
from services.aggregator.metrics.values import VisitFact
from services.aggregator.spec import SPEC
from shared.clock import SystemClock
from shared.db.database import Database
from shared.db.migrate import migrate_postgres, migrate_sqlite
from shared.db.postgres import PostgresDatabase
from shared.db.sqlite import SqliteDatabase
from shared.db.uow import Reads, UnitContext, Uow
from shared.directory import replica
from shared.directory.tables import dir_unit
from shared.testing.bank import learn, unit
from shared.testing.postgres import new_database, postgres_server
from shared.testing.system import MORNING, System, system
from tests.bench.rows import Row

BRANCHES, PROVINCES, CITIES, DAYS = 40_000, 31, 330, 30
CHUNK = 1_000
OPEN_CHANGES = 500
"""Visits whose changes wait to be carried up while the questions are asked."""
ROUNDS = 8
LAST: Final = date(2026, 3, 2)
_DAYS: Final = [LAST - timedelta(days=i) for i in range(DAYS)]
KINDS: Final = ("root", "province", "city", "branch")
QUESTIONS: Final = tuple(
    {"metric": metric, "by": by, **limit}
    for metric, limit in (
        ("visits.served", {}), ("survey.csat", {}), ("wait.seconds", {}), ("wait.service_level", {"within": "900"}),
        ("wait.service_level", {"within": "1000"}),
    )
    for by in ("day", "month", "total")
)  # fmt: skip


def branch(i: int) -> tuple[str, str]:
    """Name and path of a branch; the cities and provinces are of about the same size."""
    city = i % CITIES
    return f"b{i:05d}", f"/hq/p{city % PROVINCES:02d}/c{city:03d}/b{i:05d}/"


def _units() -> Iterator[Any]:
    yield unit("hq")
    for i in range(PROVINCES):
        yield unit(f"p{i:02d}", "hq", f"/hq/p{i:02d}/")
    for i in range(CITIES):
        above = f"p{i % PROVINCES:02d}"
        yield unit(f"c{i:03d}", above, f"/hq/{above}/c{i:03d}/")
    for i in range(BRANCHES):
        name, path = branch(i)
        yield unit(name, path.split("/")[-3], path)


def _each(values: list[Any], kind: Any) -> Any:
    rows = [sa.select(sa.literal(value, kind).label("value"), whole(i).label("no")) for i, value in enumerate(values)]
    return sa.union_all(*rows).subquery()


def _filling(metric: str, waits: int) -> Any:
    """Cells of ``metric`` for the branches from ``first`` to ``last``: one a day, or one for each of ``waits``."""
    day, turn = _each(_DAYS, sa.Date), _each(["ordinary", "vip"][: waits or 1], sa.Text)
    number = sa.cast(sa.func.substr(dir_unit.c.unit, 2), sa.BigInteger)
    # Spread over fifty minutes, the short waits more often.
    seed = number * whole(7919) + day.c.no * whole(104_729) + turn.c.no * whole(15_485_863)
    wait = (seed % whole(55)) * (seed % whole(53)) + seed % whole(97)
    n, numerator, bucket = 40, whole(36), whole(NO_BUCKET)
    if metric == "wait.seconds":
        numerator, bucket = wait * whole(n), bucket_in_sql(wait)
    if metric == "wait.service_level":
        bucket = wait
    rows = (
        sa.select(
            whole(generations.FIRST), sa.literal(metric), dir_unit.c.unit, day.c.value, bucket, sa.literal("cash"),
            turn.c.value, whole(n), numerator, whole(n),
        )
        .select_from(dir_unit.join(day, sa.true()).join(turn, sa.true()))
        .where(dir_unit.c.unit.between(sa.bindparam("first"), sa.bindparam("last")))
        .order_by(dir_unit.c.unit, day.c.value)
    )  # fmt: skip
    return sa.insert(cell).from_select([column.name for column in cell.columns], rows)


FILLINGS: Final = [
    _filling("survey.csat", 0),
    _filling("visits.served", 0),
    _filling("wait.seconds", 2),
    _filling("wait.service_level", 2),
]


def _summing(target: sa.Table, bucket: Any, *more: Any) -> Any:
    """The subtotals of the node ``unit`` at ``path``, summed from the cells below it."""
    keys = [cell.c.generation, cell.c.metric, cell.c.day, bucket]
    rows = (
        sa.select(*keys, sa.bindparam("unit", type_=sa.Text), *[total(cell.c[name], name) for name in SUMS])
        .select_from(cell.join(dir_unit, dir_unit.c.unit == cell.c.unit))
        .where(dir_unit.c.path > sa.bindparam("path"), dir_unit.c.path < sa.bindparam("path_end"), *more)
        .group_by(*keys)
    )
    names = ["generation", "metric", "day", "second" if target is second else "bucket", "unit", *SUMS]
    return sa.insert(target).from_select(names, rows)


SUMMINGS: Final = [
    _summing(subtotal, kept_bucket(cell.c.metric, cell.c.bucket)),
    _summing(second, cell.c.bucket, is_level(cell.c.metric), cell.c.bucket > whole(60)),
]
NODES: Final = {
    "hq": "/hq/", "p00": "/hq/p00/", "p07": "/hq/p07/", "p19": "/hq/p19/", "c000": "/hq/p00/c000/",
    "c100": "/hq/p07/c100/", "c255": "/hq/p07/c255/", "c329": "/hq/p19/c329/",
}  # fmt: skip
"""The units inside the tree that are asked about: their subtotals are made, at the place of which all are found."""


def _visits() -> list[VisitFact]:
    rng = random.Random(7)
    return [
        VisitFact(
            f"v{i}", branch(rng.randrange(BRANCHES))[0], LAST, "cash", "ordinary", "kiosk", "live", "served", MORNING,
            wait_seconds=rng.randrange(2_000), handling_seconds=rng.randrange(900),
        )
        for i in range(OPEN_CHANGES)
    ]  # fmt: skip


async def _placed(uow: Uow) -> None:
    """Units counted where they are, without counting again what has just been summed."""
    paths = {each.unit: each.path for each in _units()}
    pairs = [{"unit": name, "above": each} for name, path in paths.items() for each in subtotals.above_of(path)]
    await uow.many(lifting.ADD_ABOVE, pairs, distinct=True)
    places = [{"unit": name, "path": path} for name, path in paths.items()]
    await uow.many(lifting.KEEP_PLACE, places, distinct=True)


async def seed(db: Database) -> None:
    """The whole bank."""
    await learn(db, *_units())

    async def begin(uow: Uow) -> None:
        await generations.hold(uow)
        sums = [
            {
                "generation": generations.FIRST, "metric": metric, "day": day, "stripe": stripe, "n": 9, "numerator": 8,
                "denominator": 9,
            }
            for metric in METRICS for day in (*_DAYS, ALL_DAYS) for stripe in range(STRIPES)
        ]  # fmt: skip
        await uow.many(queries.ADD_ROLLUPS, sums, distinct=True)

    await db.write(begin, actor="bench")
    for filling in FILLINGS:
        for start in range(0, BRANCHES, CHUNK):
            span = {"first": branch(start)[0], "last": branch(start + CHUNK - 1)[0]}
            await db.write(lambda uow, f=filling, s=span: uow.execute(f, **s), actor="bench")
    for name, path in NODES.items():
        span = {"unit": name, "path": path, "path_end": path + replica.AFTER_ANY_ID}
        for summing in SUMMINGS:
            await db.write(lambda uow, f=summing, s=span: uow.execute(f, **s), actor="bench")  # type: ignore[misc]
    await db.write(_placed, actor="bench")
    changes = contributions(_visits())
    await db.write(lambda uow: metrics.add(uow, generations.FIRST, changes, stripe=0), actor="bench")


async def _timed(times: int, work: Callable[[int], Awaitable[Any]]) -> list[float]:
    """Milliseconds of each time."""
    took = []
    for i in range(times):
        begin = time.perf_counter()
        await work(i)
        took.append((time.perf_counter() - begin) * 1_000)
    return took


def _some(kind: str, i: int) -> str:
    if kind == "branch":
        return branch(i * 4_973 % BRANCHES)[0]
    return {"root": ["hq"], "province": ["p00", "p07", "p19"], "city": ["c000", "c100", "c255", "c329"]}[kind][
        i % {"root": 1, "province": 3, "city": 4}[kind]
    ]


def _rows(name: str, took: list[float], aim: float | None) -> list[Row]:
    quantiles = statistics.quantiles(took, n=20)
    return [Row(f"{name}, p50", quantiles[9], "ms"), Row(f"{name}, p95", quantiles[18], "ms", wanted=aim, at_most=True)]


async def _measured(running: System, name: str) -> list[Row]:
    runtime = running.runtime("aggregator")
    span = {"from": min(_DAYS).isoformat(), "to": LAST.isoformat()}
    rows: list[Row] = []
    headers = running.headers("head_office")
    for kind in KINDS:
        took: list[float] = []
        for question in QUESTIONS:
            given = dict(question)
            path = f"/aggregator/v1/metrics/{given.pop('metric')}"

            async def ask(i: int, path: str = path, given: dict[str, str] = given, kind: str = kind) -> None:
                params = {"unit": _some(kind, i), **span, **given}
                answer = await running.client.get(path, params=params, headers=headers)
                if answer.status_code != 200 or not any(each["n"] for each in answer.json()["points"]):
                    raise SystemExit(f"no figures: {answer.status_code} {answer.text[:300]}")

            await ask(0)
            each = await _timed(ROUNDS, ask)
            if "-v" in sys.argv:
                print(f"{name} {kind} {question} {statistics.median(each):.1f} {max(each):.1f}", flush=True)
            took += each
        rows += _rows(f"scale.{name}: question about a {kind}", took, 100)

    async def wall(kind: str, i: int) -> None:
        async def look(reads: Reads) -> None:
            place = await replica.unit(reads, _some(kind, i))
            asked = Question(METRICS["wait.seconds"], place, min(_DAYS), LAST, "day", False)
            await figures.wall(reads, asked)
            await figures.children(reads, asked)

        await runtime.db.read(look)

    for kind in ("root", "province", "city"):
        took = await _timed(ROUNDS, lambda i, k=kind: wall(k, i))  # type: ignore[misc]
        rows += _rows(f"scale.{name}: wall and units below of a {kind}", took, None)
    return rows + _rows(f"scale.{name}: Prometheus collector", await _timed(20, lambda _: collect(runtime)), 200)


async def _bench(server: str | None) -> list[Row]:
    name = "sqlite" if server is None else "postgres"
    context, clock = UnitContext("aggregator"), SystemClock()
    with tempfile.TemporaryDirectory() as folder:
        if server is None:
            path, url = Path(folder) / "aggregator.sqlite3", ""
            await asyncio.to_thread(migrate_sqlite, path, SPEC.migrations)
            filled: Database = SqliteDatabase(path, clock, context)
        else:
            url = await new_database(server)
            await migrate_postgres(url, SPEC.migrations)
            filled = PostgresDatabase(url, clock, context, statement_timeout_ms=300_000)
        begin = time.perf_counter()
        await filled.open()
        await seed(filled)
        if url:
            # What autovacuum does by itself in a while.
            await filled.write(lambda uow: uow.execute(_ANALYZE), actor="bench")
        await filled.close()
        seeded = Row(f"scale.{name}: seeding", time.perf_counter() - begin, "s")

        async def database(spec: Any, context: UnitContext) -> Database:
            return PostgresDatabase(url, clock, context)

        async with system([SPEC], Path(folder), database=database if url else None) as running:
            return [seeded, *await _measured(running, name)]


_ANALYZE: Final = sa.text("ANALYZE")


def run() -> list[Row]:
    """The times on SQLite and on PostgreSQL."""
    rows = asyncio.run(_bench(None))
    with postgres_server() as server:
        return rows + asyncio.run(_bench(server))


if __name__ == "__main__":
    for row in run():
        print(f"{row.name:55} {row.value:9.1f} {row.unit}{'' if row.good else '  missed'}")
