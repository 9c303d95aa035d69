"""What an import does to visits and events: once, whole, in order, also across kills."""

import json
from pathlib import Path

import pytest

from services.queue.imports import service as use_cases
from services.queue.imports import session
from services.queue.imports.session import LINES
from shared.db.errors import DatabaseUnavailable
from tests.queue.imports.conftest import TOLD, Importing, file, importing, line, packed


async def state(imports: Importing) -> tuple[list, list]:
    """All visits, and subject and sequence of all that was told."""
    told = [(row.subject, row.headers["ce_sequence"], bytes(row.payload)) for row in await imports.rows(TOLD)]
    return await imports.rows(), told


async def test_a_visit_is_told_once_as_history(imports: Importing) -> None:
    await imports.done(line("k/1").encode())
    (visit,) = await imports.rows()
    (event,) = await imports.rows(TOLD)
    data = json.loads(event.payload)
    assert (visit.status, visit.number, visit.staff_external, visit.origin) == ("served", "h:k:1", "ext:TOVA", "import")
    assert (event.headers["ce_origin"], event.headers["ce_type"]) == ("import", "queue.visit.completed.v1")
    assert event.headers["ce_time"] == "2026-03-02T01:01:00.000000Z"
    assert event.headers["ce_recordedtime"] == "2026-11-25T00:00:00.000000Z"
    assert (data["visit"], data["wait_seconds"], data["handling_seconds"]) == (visit.id, 60, None)
    assert data["staff"] is None
    assert data["staff_external"].startswith("ext:")
    assert b"TOVA" not in event.payload


async def test_a_second_import_changes_nothing(imports: Importing) -> None:
    content = file(LINES + 20)
    first = await imports.done(content)
    before = await state(imports)
    again = await imports.done(packed(content))
    assert (first["accepted"], first["unchanged"]) == (LINES + 20, 0)
    assert (again["accepted"], again["unchanged"]) == (LINES + 20, LINES + 20)
    assert await state(imports) == before


async def test_a_file_cut_in_half_and_sent_again_completes(imports: Importing) -> None:
    content = file(40)
    cut = await imports.done(content[: len(content) // 2 + 7])
    assert (cut["status"], cut["accepted"] + cut["rejected"]) == ("completed", cut["lines"])
    whole = await imports.done(content)
    assert (whole["accepted"], whole["rejected"]) == (40, 0)
    assert whole["unchanged"] == cut["accepted"]
    assert len(await imports.rows()) == len(await imports.rows(TOLD)) == 40


async def test_a_gzip_cut_in_half_says_so_and_completes_when_sent_whole(imports: Importing) -> None:
    content = packed(file(400))
    cut = await imports.done(content[: len(content) // 2])
    assert (cut["status"], cut["failure"], cut["rejected"]) == ("completed", "gzip_truncated", 1)
    whole = await imports.done(content)
    assert (whole["failure"], whole["accepted"], whole["unchanged"]) == (None, 400, cut["accepted"])


async def test_a_last_line_cut_short_is_corrected_by_the_whole_file(imports: Importing) -> None:
    # Cut behind the second digit of the seconds' offset nothing is wrong, but the window's "3" is not there yet.
    content = line("k1").encode()
    await imports.done(content[:-1])
    whole = await imports.done(content)
    (visit,) = await imports.rows()
    assert (visit.window, visit.version, whole["unchanged"]) == ("3", 2, 0)
    assert [event.headers["ce_sequence"] for event in await imports.rows(TOLD)] == ["1", "2"]


async def test_a_corrected_file_tells_the_corrected_visit(imports: Importing) -> None:
    await imports.done(file(3))
    await imports.done("\n".join([line("k0"), line("k1", outcome="left", day="2026-03-03"), line("k2")]).encode())
    visit = (await imports.rows())[1]
    assert (visit.status, visit.business_date.isoformat(), visit.version) == ("left", "2026-03-03", 2)
    *_, event = await imports.rows(TOLD)
    assert (event.subject, event.headers["ce_sequence"]) == (visit.id, "2")
    assert event.headers["ce_type"] == "queue.visit.abandoned.v1"
    assert len(await imports.rows(TOLD)) == 4


@pytest.mark.parametrize("gap", [0, LINES])
async def test_the_later_of_two_lines_with_one_key_counts(imports: Importing, gap: int) -> None:
    content = f"{line('twice')}\n".encode() + file(gap) + line("twice", wait=90).encode()
    first = await imports.done(content)
    assert (first["lines"], first["accepted"]) == (gap + 2, gap + 2)
    assert (await imports.rows())[-1].wait_seconds == 90
    before = await state(imports)
    again = await imports.done(content)
    assert (again["accepted"], again["unchanged"]) == (gap + 2, gap + 2)
    assert await state(imports) == before


async def test_history_does_not_meet_live_numbers_or_other_sources(imports: Importing) -> None:
    ndjson = {
        "external_key": "k0", "business_date": "2026-03-02", "service": "PS", "outcome": "served",
        "issued_at": "2026-03-02T09:00:00+08:00", "called_at": "2026-03-02T09:01:00+08:00", "staff_ref": "TOVA",
        "window": "3",
    }  # fmt: skip
    await imports.done(file(1))
    same = await imports.done(json.dumps(ndjson).encode(), "ndjson")
    other_branch = await imports.done(file(1), unit="gz-002")
    assert (same["unchanged"], other_branch["unchanged"]) == (1, 0)
    assert [(row.unit, row.number) for row in await imports.rows()] == [("gz-001", "h:k0"), ("gz-002", "h:k0")]


class Killed(BaseException):
    """Stands for SIGKILL: nothing of the process runs after it."""


@pytest.mark.parametrize("pack", [bytes, packed])
async def test_a_killed_import_goes_on_without_loss_or_doubling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack
) -> None:
    header = b"external_key,business_date,service,outcome,issued_at,called_at\n"
    rest = ",2026-03-02,PS,served,2026-03-02T09:00:00+08:00,2026-03-02T09:01:00+08:00\n"
    content = pack(header + "".join(f"k{i}{rest}" for i in range(95)).encode() + b"broken\n")
    monkeypatch.setattr(session, "LINES", 10)
    at = {"points": 0}

    def kill(point: str) -> None:
        at["points"] += 1
        if at["points"] == 4:
            at["points"] = 0
            raise Killed(point)

    monkeypatch.setattr(use_cases, "crash", kill)
    monkeypatch.setattr("services.queue.imports.worker.crash", kill)
    location, kills = "", 0
    while True:
        async with importing(tmp_path) as imports:
            if not location:
                location = (await imports.send(content)).headers["location"]
            try:
                while await imports.turn():
                    pass
            except Killed:
                kills += 1
                continue
            report = await imports.report(location)
            visits, told = await state(imports)
        break
    assert kills > 4
    assert (report["status"], report["lines"], report["accepted"], report["rejected"]) == ("completed", 96, 95, 1)
    assert len(visits) == len({subject for subject, *_ in told}) == len(told) == 95
    assert list((tmp_path / "imports").glob("*")) == []


async def test_a_run_that_always_fails_does_not_hold_up_the_next(
    imports: Importing, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = (await imports.send(file(1))).headers["location"]
    good = (await imports.send(file(2))).headers["location"]
    keep = use_cases.keep

    async def fails(uow, run, chunk):
        if bad.endswith(run.id):
            raise ZeroDivisionError
        return await keep(uow, run, chunk)

    monkeypatch.setattr(use_cases, "keep", fails)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            await imports.turn()
    while await imports.turn():
        pass
    assert [(r["status"], r["failure"]) for r in (await imports.report(bad), await imports.report(good))] == [
        ("failed", "internal_error"),
        ("completed", None),
    ]


async def test_database_trouble_is_waited_for(imports: Importing, monkeypatch: pytest.MonkeyPatch) -> None:
    location = (await imports.send(file(2))).headers["location"]

    async def down(*_: object) -> None:
        raise DatabaseUnavailable("gone")

    with monkeypatch.context() as patch:
        patch.setattr(use_cases, "keep", down)
        for _ in range(5):
            with pytest.raises(DatabaseUnavailable):
                await imports.turn()
    while await imports.turn():
        pass
    assert (await imports.report(location))["status"] == "completed"


async def test_a_lost_file_ends_its_run(imports: Importing) -> None:
    location = (await imports.send(file(2))).headers["location"]
    (imports.runtime.settings.data / "imports" / location.rpartition("/")[2]).unlink()
    assert await imports.turn() == 1
    assert await imports.turn() == 0
    report = await imports.report(location)
    assert (report["status"], report["failure"]) == ("failed", "file_lost")


async def test_two_workers_on_one_run_double_nothing(imports: Importing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "LINES", 10)
    from services.queue.imports.worker import Importer

    location = (await imports.send(file(55))).headers["location"]
    workers = [Importer(imports.runtime), Importer(imports.runtime)]
    while sum([await worker.turn() for worker in workers]):
        pass
    report = await imports.report(location)
    assert (report["status"], report["lines"], report["accepted"]) == ("completed", 55, 55)
    assert len(await imports.rows(TOLD)) == 55
