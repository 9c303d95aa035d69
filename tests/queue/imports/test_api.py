"""Uploading history over HTTP: what is accepted, what is refused, who may see it."""

import asyncio
import hashlib
import os
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.queue.imports.conftest import NOW, PATH, VISITS, Importing, file, importing, line


def spooled(imports: Importing) -> list[str]:
    return sorted(path.name for path in (imports.runtime.settings.data / "imports").glob("*"))


async def test_an_upload_is_durable_before_it_is_imported(imports: Importing) -> None:
    content = file(3)
    sent = await imports.send(content)
    body = sent.json()
    assert (sent.status_code, sent.headers["location"]) == (202, f"{PATH}/{body['id']}")
    assert body == {
        "id": body["id"], "unit": "gz-001", "format": "canonical-csv", "status": "queued", "failure": None,
        "size": len(content), "lines": 0, "accepted": 0, "rejected": 0, "unchanged": 0, "rejected_by_code": {},
        "created_at": "2026-11-25T00:00:00Z", "started_at": None, "finished_at": None,
    }  # fmt: skip
    kept = imports.runtime.settings.data / "imports" / body["id"]
    assert hashlib.sha256(kept.read_bytes()).digest() == hashlib.sha256(content).digest()
    assert await imports.rows() == []

    await imports.running.settle()
    report = await imports.report(sent.headers["location"])
    assert (report["status"], report["lines"], report["accepted"], report["rejected"]) == ("completed", 3, 3, 0)
    assert spooled(imports) == []


async def test_rejects_are_listed_in_pages(imports: Importing) -> None:
    broken = "\n".join([line("k1"), "x", line("k2", service="?"), line("k3"), "", line("k4")]).encode()
    report = await imports.done(broken)
    assert (report["lines"], report["accepted"], report["rejected_by_code"]) == (6, 3, {"malformed": 3})
    path = f"{PATH}/{report['id']}/rejects"
    first = (await imports.call("GET", f"{path}?limit=2", "auditor", expect=200)).json()
    assert first["items"] == [
        {"line": 2, "field": "line", "code": "malformed"},
        {"line": 3, "field": "service", "code": "malformed"},
    ]
    rest = (await imports.call("GET", f"{path}?limit=2&cursor={first['next']}", "auditor", expect=200)).json()
    assert rest == {"items": [{"line": 5, "field": "line", "code": "malformed"}], "next": None}
    await imports.call("GET", f"{path}?cursor=ImFiYyI=", "auditor", expect=422)


async def test_imports_are_listed_below_a_unit_the_latest_first(imports: Importing) -> None:
    ids = [(await imports.send(file(1), unit=unit)).json()["id"] for unit in ("gz-001", "gz-002", "bj-001")]
    first = (await imports.call("GET", f"{PATH}?unit=prov-gd&limit=1", "head_office", expect=200)).json()
    rest = await imports.call("GET", f"{PATH}?unit=prov-gd&cursor={first['next']}", "head_office", expect=200)
    assert [item["id"] for item in first["items"] + rest.json()["items"]] == [ids[1], ids[0]]


@pytest.mark.parametrize(
    ("change", "status", "pointer", "code"),
    [
        ({"format_": "excel"}, 422, "/format", "unknown_value"),
        ({"unit": "gz 001"}, 422, "/unit", "malformed"),
        ({"unit": "\0"}, 422, "/unit", "malformed"),
        ({"unit": "x" * 300}, 422, "/unit", "too_long"),
        ({"unit": "hq"}, 422, "/unit", "not_a_branch"),
        ({"unit": "gz-777"}, 409, None, None),
        ({"role": "teller"}, 403, None, None),
        ({"units": ("bj-001",)}, 404, None, None),
        ({"key": "bad key"}, 400, "/header/idempotency-key", None),
    ],
)
async def test_refusals_name_the_field_and_keep_nothing(
    imports: Importing, change: dict, status: int, pointer: str | None, code: str | None
) -> None:
    refused = await imports.send(file(2), **change)
    assert refused.status_code == status, refused.text
    assert refused.headers["content-type"] == "application/problem+json"
    if code is not None:
        assert [(e["pointer"], e["code"]) for e in refused.json()["errors"]] == [(pointer, code)]
    assert spooled(imports) == []
    assert await imports.turn() == 0


PART = b"--b\r\nContent-Disposition: form-data; name="
FORM = "multipart/form-data; boundary=b"


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b"{}", 415),
        ("multipart/form-data", b"", 415),
        (FORM, b"", 400),
        (FORM, b"\x00\xff" * 50, 400),
        (FORM, PART + b'"file"\r\n\r\nx', 400),
        (FORM, PART + b'"file"\r\n\r\nx\r\n--b--\r\n', 422),
        (FORM, PART + b'"x"\r\n\r\nx\r\n--b--\r\n', 422),
        (FORM, PART + b'"unit"\r\n\r\n\xff\r\n' + PART + b'"format"\r\n\r\ncsv\r\n--b--\r\n', 422),
        (FORM, (PART + b'"unit"\r\n\r\nx\r\n') * 2 + b"--b--\r\n", 422),
        (FORM, b"--b\r\nX: " + b"y" * 9000 + b"\r\n\r\nx\r\n--b--\r\n", 400),
    ],
)
async def test_a_broken_form_is_a_problem(imports: Importing, content_type: str, body: bytes, status: int) -> None:
    headers = imports.running.headers("integration") | {"content-type": content_type}
    refused = await imports.client.post(PATH, headers=headers, content=body)
    assert refused.status_code == status, refused.text
    assert refused.headers["content-type"] == "application/problem+json"
    assert spooled(imports) == []


async def test_an_integration_must_send_a_key(imports: Importing) -> None:
    headers = imports.running.headers("integration")
    del headers["idempotency-key"]
    refused = await imports.client.post(PATH, headers=headers, files={"file": b"x"})
    assert (refused.status_code, refused.json()["code"]) == (400, "idempotency_key_required")


async def test_a_retry_gets_the_same_bytes_and_another_file_is_refused(imports: Importing) -> None:
    first = await imports.send(file(2), key="once")
    again = await imports.send(file(2), key="once")
    assert (again.content, again.headers["location"]) == (first.content, first.headers["location"])
    assert spooled(imports) == [first.json()["id"]]
    other = await imports.send(file(3), key="once")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert spooled(imports) == [first.json()["id"]]


async def test_parallel_retries_make_one_import(imports: Importing) -> None:
    replies = await asyncio.gather(*(imports.send(file(2), key="many") for _ in range(10)))
    assert len({reply.content for reply in replies}) == 1
    assert len(spooled(imports)) == 1


async def test_another_units_import_is_not_found(imports: Importing) -> None:
    location = (await imports.send(file(2))).headers["location"]
    for path in (location, f"{location}/rejects", f"{PATH}?unit=gz-001"):
        await imports.call("GET", path, "integration", units=("bj-001",), expect=404)
        await imports.call("GET", path, "kiosk", expect=403)
        await imports.call("GET", path, "integration", units=("gz-001",), expect=200)
    await imports.call("GET", f"{PATH}/none", "integration", expect=404)


async def test_a_body_above_the_limit_is_refused(tmp_path: Path) -> None:
    async with importing(tmp_path, upload_limit=2000) as imports:
        refused = await imports.send(file(100))
        assert (refused.status_code, refused.json()["code"]) == (413, "too_large")

        async def endless():
            while True:
                yield b"x" * 500

        headers = imports.running.headers("integration") | {"content-type": "multipart/form-data; boundary=b"}
        refused = await imports.client.post(PATH, headers=headers, content=endless())
        assert refused.status_code in {400, 413}
        assert spooled(imports) == []


async def test_files_without_a_run_go_when_they_are_old(tmp_path: Path) -> None:
    async with importing(tmp_path) as imports:
        waiting = (await imports.send(file(1))).json()["id"]
    folder = tmp_path / "imports"
    for name in ("lost.part", "lost-whole", "young.part"):
        (folder / name).write_bytes(b"x")
    old = (NOW - timedelta(hours=2)).timestamp()
    for name in ("lost.part", "lost-whole", waiting):
        os.utime(folder / name, (old, old))
    os.utime(folder / "young.part", (NOW.timestamp(),) * 2)
    async with importing(tmp_path) as imports:
        await imports.turn()
        await imports.turn()
        assert spooled(imports) == ["young.part"]
        assert [row.number for row in await imports.rows()] == ["h:k0"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300), name=st.sampled_from(["csv", "ndjson", "anonymous-bank"]))
async def test_whatever_the_bytes_every_line_is_accounted_for(imports: Importing, content: bytes, name: str) -> None:
    before = await imports.rows(VISITS)
    report = await imports.done(content, name)
    assert report["status"] == "completed"
    assert report["accepted"] + report["rejected"] == report["lines"]
    assert sum(report["rejected_by_code"].values()) == report["rejected"]
    assert len(await imports.rows(VISITS)) <= len(before) + report["accepted"]
