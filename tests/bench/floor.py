"""The floors of the hot path: the statements that the product runs, sent by bare ``sqlite3``, one commit an operation.

The statement texts are the product's own (compiled by the kit), so the floor does the same work in the database and
nothing else; ``app`` does it behind a bare FastAPI route.
"""

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from services.queue.catalogue import queries as catalogue
from services.queue.estimates import queries as estimates
from services.queue.tickets import queries as tickets
from services.queue.windows import queries as windows
from shared.db.sqlite import connect
from shared.db.statements import SQLITE, Compiler
from shared.directory import replica
from shared.events import outbox
from shared.ids import uuid7
from shared.web import idempotency

_compile = Compiler(SQLITE)
UNIT, SERVICE = "gz-001", "cash"


class Hand:
    """Hand-written operations over one connection."""

    def __init__(self, path: Path) -> None:
        self.raw: sqlite3.Connection = connect(path)

    def _run(self, statement: Any, **params: Any) -> list[tuple[Any, ...]]:
        prepared = _compile(statement)
        return self.raw.execute(prepared.sql, prepared.values(params)).fetchall()

    def _claim(self, caller: str, key: str, now: datetime) -> None:
        self._run(
            idempotency._CLAIM, caller=caller, key=key, fingerprint=key, status=0, headers={}, body=b"", created_at=now
        )

    def _event(self, kind: str, visit: str, now: datetime, payload: bytes) -> None:
        (sequence,) = self._run(outbox._NEXT, subject=visit, sequence=1)[0]
        headers = {
            "ce_specversion": "1.0", "ce_id": uuid7(), "ce_source": "/services/queue", "ce_type": kind,
            "ce_subject": visit, "ce_time": now.isoformat(), "ce_dataschema": "https://wangdian.example/schemas/x.json",
            "ce_sequence": str(sequence), "ce_partitionkey": visit, "ce_recordedtime": now.isoformat(),
            "ce_origin": "live", "ce_traceparent": "00-" + "0" * 32 + "-" + "0" * 16 + "-01",
            "content-type": "application/json",
        }  # fmt: skip
        self._run(
            outbox._STORE, event_id=headers["ce_id"], topic="queue.events", subject=visit, headers=headers,
            payload=payload, created_at=now,
        )  # fmt: skip

    def issue(self, key: str) -> bytes:
        """One ticket."""
        now = datetime.now(UTC)
        self.raw.execute("BEGIN IMMEDIATE")
        self._claim("kiosk", key, now)
        self._run(replica._UNIT, unit=UNIT)
        self._run(catalogue.TO_ISSUE, unit=UNIT, code=SERVICE, class_code="ordinary", at=now)
        visit = uuid7()
        order_at, day = now - timedelta(0), now.date()
        self._run(tickets.AHEAD, unit=UNIT, service=SERVICE, day=day, order_at=order_at, own=visit)
        self._run(estimates.IN_FORCE, at=now)
        (count,) = self._run(tickets.NEXT_NUMBER, unit=UNIT, business_date=day, prefix="A", last=1)[0]
        row = dict.fromkeys([column.name for column in tickets.visit.columns]) | {
            "id": visit, "unit": UNIT, "business_date": day, "number": f"A{count:03d}", "service": SERVICE,
            "ticket_class": "ordinary", "channel": "kiosk", "status": "waiting", "origin": "live", "issued_at": now,
            "order_at": order_at, "calls": 0, "token_hash": uuid7(), "version": 1,
        }  # fmt: skip
        self._run(tickets.ADD, **row)
        reply = json.dumps({name: str(value) for name, value in row.items()}).encode()
        self._event("queue.visit.opened.v1", visit, now, reply)
        self._run(idempotency._KEEP, by="kiosk", under=key, code=200, sent={}, bytes=reply)
        self.raw.execute("COMMIT")
        return reply

    def call_next(self, key: str, no: str) -> bytes:
        """Call the first who waits; the window is freed at once, so that the next call finds it free."""
        now = datetime.now(UTC)
        self.raw.execute("BEGIN IMMEDIATE")
        self._claim("teller", key, now)
        self._run(replica._UNIT, unit=UNIT)
        self._run(windows.WINDOW_LOCKED, unit=UNIT, no=no)
        self._run(windows.LOCK_HALL, unit=UNIT)
        first = self._run(tickets.NEXT, unit=UNIT, no=no, day=now.date())
        reply = b""
        if first:
            visit = first[0][0]
            (row,) = self._run(tickets.CALL, visit=visit, no=no, at=now, wait=1, new_staff=f"T{no}")
            self._run(windows.TAKE, unit=UNIT, no=no, new_visit=visit)
            reply = json.dumps([str(value) for value in row]).encode()
            self._event("queue.visit.called.v1", visit, now, reply)
        self._run(idempotency._KEEP, by="teller", under=key, code=200, sent={}, bytes=reply)
        self.raw.execute("COMMIT")
        return reply


class Wanted(BaseModel):
    """The floor's request body."""

    service: str
    channel: str = "kiosk"


class Ticket(BaseModel):
    """The floor's reply."""

    reply: str


def app(path: Path) -> FastAPI:
    """A bare FastAPI application over :class:`Hand`."""
    found = FastAPI()
    hand = Hand(path)
    count = iter(range(10**9))

    @found.post("/issue")
    async def issue(wanted: Wanted) -> Ticket:
        return Ticket(reply=hand.issue(str(next(count))).decode())

    @found.post("/call/{no}")
    async def call(no: str) -> Ticket:
        return Ticket(reply=hand.call_next(str(next(count)), no).decode())

    return found
