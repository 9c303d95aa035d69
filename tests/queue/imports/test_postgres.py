"""The same imports on PostgreSQL: upserts, guards and positions are not SQLite's alone."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.queue.imports import session
from services.queue.imports.worker import Importer
from services.queue.spec import SPEC
from shared.clock import FixedClock
from shared.db.postgres import PostgresDatabase
from shared.db.uow import UnitContext
from shared.spec import ServiceSpec
from shared.testing.postgres import postgres_for
from tests.queue.imports.conftest import NOW, TOLD, Importing, file, importing, line


@pytest.fixture
async def imports(postgres: str, tmp_path: Path) -> AsyncIterator[Importing]:
    async def database(_: ServiceSpec, context: UnitContext) -> PostgresDatabase:
        return await postgres_for(postgres, SPEC, FixedClock(NOW), context)

    async with importing(tmp_path, database=database) as service:
        yield service


async def test_an_import_and_the_same_again(imports: Importing) -> None:
    content = file(30) + b"broken\n" + line("k3", wait=90).encode()
    first = await imports.done(content)
    told = await imports.rows(TOLD)
    assert (first["status"], first["lines"], first["accepted"], first["rejected"]) == ("completed", 32, 31, 1)
    again = await imports.done(content)
    assert (again["accepted"], again["unchanged"]) == (31, 31)
    assert await imports.rows(TOLD) == told
    corrected = await imports.done(line("k3", outcome="left").encode())
    assert corrected["unchanged"] == 0
    assert (await imports.rows(TOLD))[-1].headers["ce_sequence"] == "2"
    listed = (await imports.call("GET", "/queue/v1/imports?unit=hq", "head_office", expect=200)).json()
    assert [item["id"] for item in listed["items"]] == [corrected["id"], again["id"], first["id"]]
    rejects = await imports.call("GET", f"/queue/v1/imports/{first['id']}/rejects", "auditor", expect=200)
    assert rejects.json()["items"] == [{"line": 31, "field": "line", "code": "malformed"}]


async def test_two_workers_on_one_run_double_nothing(imports: Importing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "LINES", 10)
    location = (await imports.send(file(55))).headers["location"]
    workers = [Importer(imports.runtime), Importer(imports.runtime)]
    while sum([await worker.turn() for worker in workers]):
        pass
    report = await imports.report(location)
    assert (report["status"], report["lines"], report["accepted"]) == ("completed", 55, 55)
    assert len(await imports.rows(TOLD)) == 55
