"""Lists that follow their cursors; files that go up in one piece and are waited for."""

import httpx
import pytest
from wangdian_client import Wangdian, WangdianError


def pages(request: httpx.Request) -> httpx.Response:
    """Three pages behind opaque cursors, for any list."""
    page = {None: (["a", "b"], "c/1="), "c/1=": ([], "c+2"), "c+2": (["c"], None)}[request.url.params.get("cursor")]
    return httpx.Response(200, json={"items": page[0], "next": page[1]})


@pytest.mark.parametrize(
    "listing",
    [
        lambda c: c.staff.units.list(limit=2),
        lambda c: c.staff.people.list(unit="gz-001", limit=2),
        lambda c: c.staff.qualifications.list("T0001", limit=2),
        lambda c: c.queue.services.list("gz-001", limit=2),
        lambda c: c.queue.windows.list("gz-001", limit=2),
        lambda c: c.queue.tickets.waiting("gz-001", limit=2),
        lambda c: c.queue.imports.rejects("i", limit=2),
        lambda c: c.aggregator.metrics.list(limit=2),
    ],
)
async def test_a_list_follows_its_cursors_to_the_end(subject, listing):
    asked = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params)
        return pages(request)

    assert await subject.on(handler).do(listing) == ["a", "b", "c"]
    assert [params.get("cursor") for params in asked] == [None, "c/1=", "c+2"]
    assert {params["limit"] for params in asked} == {"2"}


async def test_a_filter_is_sent_with_each_page_and_absent_ones_are_not(subject, server):
    bank = server(httpx.Response(200, json={"items": [], "next": None}))
    subject.on(bank)
    await subject.do(lambda c: c.staff.people.list(unit="gz-001"))
    await subject.do(lambda c: c.staff.people.list())
    assert [dict(request.url.params) for request in bank.requests] == [{"unit": "gz-001"}, {}]


async def test_pages_are_fetched_only_when_needed():
    asked = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return pages(request)

    with Wangdian("http://bank.test", transport=httpx.MockTransport(handler)) as client:
        units = client.staff.units.list()
        assert asked == []
        assert next(iter(units)) == "a"
        assert len(asked) == 1
        assert [*units] == [*units]


async def test_a_cursor_that_does_not_move_is_an_error_not_a_loop(subject, server):
    bank = server(httpx.Response(200, json={"items": ["a"], "next": "again"}))
    with pytest.raises(WangdianError, match="again"):
        await subject.on(bank).do(lambda c: c.staff.units.list())


async def test_a_file_is_sent_whole_at_every_attempt(subject, server, tmp_path):
    file = tmp_path / "January.txt"
    content = b"vru+line\tcall_id\n" * 20_000
    file.write_bytes(content)
    bank = server(httpx.Response(503), httpx.Response(202, json={"id": "i", "status": "running"}))
    reply = await subject.on(bank).do(lambda c: c.queue.imports.upload(file, "anonymous-bank", "gz-001"))
    assert reply["id"] == "i"
    assert len(set(bank.keys)) == 1
    for request in bank.requests:
        assert request.headers["Content-Type"].startswith("multipart/form-data; boundary=")
        assert b'name="format"\r\n\r\nanonymous-bank' in request.content
        assert b'name="unit"\r\n\r\ngz-001' in request.content
        assert b'name="file"; filename="January.txt"' in request.content
        assert content in request.content
        assert int(request.headers["Content-Length"]) == len(request.content)


async def test_a_missing_file_is_no_request(subject, server, tmp_path):
    bank = server(httpx.Response(202))
    with pytest.raises(FileNotFoundError):
        await subject.on(bank).do(lambda c: c.queue.imports.upload(tmp_path / "none", "csv", "gz-001"))
    assert bank.requests == []


@pytest.mark.parametrize("status", ["completed", "failed"])
async def test_waiting_for_an_import_tells_its_progress(subject, server, status):
    def report(state: str, lines: int) -> httpx.Response:
        return httpx.Response(200, json={"status": state, "lines": lines, "accepted": lines, "rejected": 0})

    bank = server(report("pending", 0), httpx.Response(503), report("running", 500), report(status, 900))
    seen = []
    result = await subject.on(bank).do(
        lambda c: c.queue.imports.wait("i", progress=lambda report: seen.append(report["lines"]))
    )
    assert (result["status"], result["lines"]) == (status, 900)
    assert seen == [0, 500, 900]
    assert len(subject.time.pauses) == 3
