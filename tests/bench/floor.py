"""The floors of the hot path: the statements that the product runs, sent by the bare driver, one commit an operation.

The statement texts are the product's own (compiled by the kit), so the floor does the same work in the database and
nothing else; ``app`` does it behind a bare FastAPI route, on either database.
"""

import json
import sqlite3
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
from fastapi import FastAPI
from pydantic import BaseModel

from services.queue.catalogue import queries as catalogue
from services.queue.estimates import queries as estimates
from services.queue.tickets import queries as tickets
from services.queue.windows import queries as windows
from shared.db.sqlite_driver import connect
from shared.db.statements import POSTGRES, SQLITE, Compiler
from shared.directory import replica
from shared.events import outbox
from shared.ids import uuid7
from shared.web import feed, idempotency

UNIT, SERVICE = "gz-001", "cash"
Rows = list[Any]
Steps = Generator[tuple[Any, dict[str, Any]], Rows, bytes]
"""An operation: yields statements with their parameters, is sent their rows, returns the reply."""


def _claim(caller: str, key: str, now: datetime) -> tuple[Any, dict[str, Any]]:
    claim = {"caller": caller, "key": key, "fingerprint": key, "status": 0, "headers": {}, "body": b""}
    return idempotency._CLAIM, claim | {"created_at": now}


def _event(kind: str, visit: str, now: datetime, payload: bytes) -> Steps:
    ((sequence, *_),) = yield outbox._NEXT, {"subject": visit, "sequence": 1}
    headers = {
        "ce_specversion": "1.0", "ce_id": uuid7(), "ce_source": "/services/queue", "ce_type": kind,
        "ce_subject": visit, "ce_time": now.isoformat(), "ce_dataschema": "https://wangdian.example/schemas/x.json",
        "ce_sequence": str(sequence), "ce_partitionkey": visit, "ce_recordedtime": now.isoformat(),
        "ce_origin": "live", "ce_traceparent": "00-" + "0" * 32 + "-" + "0" * 16 + "-01",
        "content-type": "application/json",
    }  # fmt: skip
    yield outbox._STORE, {
        "event_id": headers["ce_id"], "topic": "queue.events", "subject": visit, "headers": headers,
        "payload": payload, "created_at": now,
    }  # fmt: skip
    return payload


def _tell(kind: str, now: datetime, data: dict[str, Any]) -> Steps:
    yield feed._HEAD, {"topic": UNIT, "seq": 1}
    yield feed._ADD, {"of": UNIT, "at": now, "kind": kind, "data": data}
    return b""


def issue(key: str) -> Steps:
    """One ticket."""
    now = datetime.now(UTC)
    yield _claim("kiosk", key, now)
    yield replica._UNIT, {"unit": UNIT}
    yield catalogue.TO_ISSUE, {"unit": UNIT, "code": SERVICE, "class_code": "ordinary", "at": now}
    visit = uuid7()
    order_at, day = now - timedelta(0), now.date()
    yield tickets.AHEAD, {"unit": UNIT, "service": SERVICE, "day": day, "order_at": order_at, "own": visit}
    yield estimates.IN_FORCE, {"at": now}
    ((count, *_),) = yield tickets.NEXT_NUMBER, {"unit": UNIT, "business_date": day, "prefix": "A", "last": 1}
    row = dict.fromkeys([column.name for column in tickets.visit.columns]) | {
        "id": visit, "unit": UNIT, "business_date": day, "number": f"A{count:03d}", "service": SERVICE,
        "ticket_class": "ordinary", "channel": "kiosk", "status": "waiting", "origin": "live", "issued_at": now,
        "order_at": order_at, "calls": 0, "token_hash": uuid7(), "version": 1,
    }  # fmt: skip
    yield tickets.ADD, row
    reply = json.dumps({name: str(value) for name, value in row.items()}).encode()
    yield from _event("queue.visit.opened.v1", visit, now, reply)
    yield from _tell("ticket", now, {})
    yield idempotency._KEEP, {"by": "kiosk", "under": key, "code": 200, "sent": {}, "bytes": reply}
    return reply


def call_next(key: str, no: str) -> Steps:
    """Call the first who waits."""
    now = datetime.now(UTC)
    yield _claim("teller", key, now)
    yield replica._UNIT, {"unit": UNIT}
    yield windows.WINDOW_LOCKED, {"unit": UNIT, "no": no}
    yield windows.LOCK_HALL, {"unit": UNIT}
    first = yield tickets.NEXT, {"unit": UNIT, "no": no, "day": now.date()}
    reply = b""
    if first:
        visit = first[0][0]
        ((*row,),) = yield tickets.CALL, {"visit": visit, "no": no, "at": now, "wait": 1, "new_staff": f"T{no}"}
        yield windows.TAKE, {"unit": UNIT, "no": no, "new_visit": visit}
        reply = json.dumps([str(value) for value in row]).encode()
        yield from _event("queue.visit.called.v1", visit, now, reply)
        said = {"visit": visit, "number": row[3], "window": no, "service": SERVICE, "calls": 1}
        yield from _tell("call", now, said)
    yield idempotency._KEEP, {"by": "teller", "under": key, "code": 200, "sent": {}, "bytes": reply}
    return reply


class SqliteHand:
    """Operations over one connection."""

    _compile = Compiler(SQLITE)

    def __init__(self, path: Path) -> None:
        self.raw: sqlite3.Connection = connect(path)

    def do(self, steps: Steps) -> bytes:
        """One operation, committed."""
        self.raw.execute("BEGIN IMMEDIATE")
        rows: Rows | None = None
        while True:
            try:
                statement, params = steps.send(rows)  # type: ignore[arg-type]
            except StopIteration as done:
                self.raw.execute("COMMIT")
                return bytes(done.value)
            prepared = self._compile(statement)
            rows = self.raw.execute(prepared.sql, prepared.values(params)).fetchall()


class PostgresHand:
    """Operations over a pool of the driver's; a statement is one round trip."""

    _compile = Compiler(POSTGRES)

    def __init__(self, pool: Any) -> None:
        self.pool = pool

    async def do(self, steps: Steps) -> bytes:
        """One operation, committed."""
        async with self.pool.acquire() as raw:
            await raw.execute("BEGIN")
            rows: Rows | None = None
            while True:
                try:
                    statement, params = steps.send(rows)  # type: ignore[arg-type]
                except StopIteration as done:
                    await raw.execute("COMMIT")
                    return bytes(done.value)
                prepared = self._compile(statement)
                rows = [tuple(row) for row in await raw.fetch(prepared.sql, *prepared.values(params))]


class Wanted(BaseModel):
    """The floor's request body."""

    service: str
    channel: str = "kiosk"


class Ticket(BaseModel):
    """The floor's reply."""

    reply: str


def app(database: str) -> FastAPI:
    """A bare FastAPI application over one of the hands; ``database`` is a path, or the URL of a PostgreSQL database."""

    async def no_reset(_: Any) -> None:
        """The driver's reset is one more round trip; the product has none either."""

    @asynccontextmanager
    async def lifespan(found: FastAPI) -> AsyncIterator[None]:
        if database.startswith("postgresql:"):
            async with asyncpg.create_pool(database, min_size=10, max_size=10, reset=no_reset) as pool:
                found.state.do = PostgresHand(pool).do
                yield
            return
        hand = SqliteHand(Path(database))

        async def do(steps: Steps) -> bytes:
            return hand.do(steps)

        found.state.do = do
        yield
        hand.raw.close()

    found = FastAPI(lifespan=lifespan)
    count = iter(range(10**9))

    @found.post("/issue")
    async def take(wanted: Wanted) -> Ticket:
        return Ticket(reply=(await found.state.do(issue(str(next(count))))).decode())

    @found.post("/call/{no}")
    async def call(no: str) -> Ticket:
        return Ticket(reply=(await found.state.do(call_next(str(next(count)), no))).decode())

    return found
