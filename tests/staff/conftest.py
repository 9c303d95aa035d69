"""The staff service alone, with a small bank in it: hq over gd (gz-1, gz-2) and bj (bj-1)."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from services.staff.spec import SPEC
from shared.clock import FixedClock
from shared.db.database import Database
from shared.db.tables import KIT, outbox
from shared.db.uow import UnitContext
from shared.spec import ServiceSpec
from shared.testing.postgres import postgres_for
from shared.testing.system import MORNING, System, system

UNITS = [
    ("hq", None, "head_office"),
    ("gd", "hq", "region"),
    ("bj", "hq", "region"),
    ("gz-1", "gd", "branch"),
    ("gz-2", "gd", "branch"),
    ("bj-1", "bj", "branch"),
]
PEOPLE = [("T1", "李晓梅", "gz-1"), ("T2", "欧阳小明", "gz-2"), ("T3", "王强", "bj-1"), ("M1", "陈芳", "gz-1")]
SINCE = "2020-01-01T00:00:00+08:00"


@pytest.fixture
async def empty(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[System]:
    """The service without a bank; on PostgreSQL where a test is parametrised so."""
    database = None
    if getattr(request, "param", "sqlite") == "postgres":
        server = request.getfixturevalue("postgres")

        async def database(spec: ServiceSpec, context: UnitContext) -> Database:
            return await postgres_for(server, spec, FixedClock(MORNING), context)

    async with system([SPEC], tmp_path, database=database) as running:
        yield running


@pytest.fixture
async def bank(empty: System) -> System:
    """The service with units and people."""
    for code, parent, kind in UNITS:
        unit = {
            "code": code,
            "parent": parent,
            "kind": kind,
            "names": {"zh": f"{code}行", "en": code},
            "valid_from": SINCE,
        }
        await empty.call("POST", "/staff/v1/units", "head_office", json=unit, expect=201)
    for person, name, unit in PEOPLE:
        body = {"id": person, "name": name, "unit": unit, "post": "manager" if person.startswith("M") else "teller"}
        await empty.call("POST", "/staff/v1/people", "head_office", json=body, expect=201)
    return empty


@pytest.fixture
def told(empty: System):
    """What the service has told since it started: (subject, sequence, data) of its outbox."""
    every = sa.select(outbox.c.subject, outbox.c.headers, outbox.c.payload).order_by(outbox.c.seq)

    async def read():
        rows = await empty.runtime("staff").db.read(lambda reads: reads.all(every))
        return [(row.subject, int(row.headers["ce_sequence"]), json.loads(bytes(row.payload))) for row in rows]

    return read


@pytest.fixture
def audited(empty: System):
    """The audit log's rows, oldest first."""
    every = sa.select(KIT.tables["audit_row"]).order_by(KIT.tables["audit_row"].c.seq)

    async def read():
        return await empty.runtime("staff").db.read(lambda reads: reads.all(every))

    return read
