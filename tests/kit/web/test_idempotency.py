"""A retry with the caller's key has one effect and one reply, whatever was lost on the way."""

import asyncio
from datetime import timedelta

import httpx
import pytest
import sqlalchemy as sa

from shared.db.errors import DatabaseUnavailable
from shared.db.tables import idempotency, outbox
from shared.events.housekeeping import Housekeeping
from shared.web import routing

pytestmark = pytest.mark.parametrize("dialect", ["sqlite", "postgres"], indirect=True)

ADD = "/tally/v1/totals/a/additions"
KEYS = sa.select(sa.func.count()).select_from(idempotency)
TOLD = sa.select(sa.func.count()).select_from(outbox)


def signature(answer):
    """All that a caller could tell two replies apart by."""
    headers = {name: value for name, value in answer.headers.items() if name != "traceparent" and "trace" not in name}
    return answer.status_code, answer.content, headers


async def add(running, *, key="k1", amount=1, role="kiosk", path=ADD, sub=None, **more):
    headers = running.headers(role, key=key)
    if sub:
        headers["authorization"] = f"Bearer {running.token(role, sub=sub)}"
    return await running.client.post(path, headers=headers, json={"amount": amount} | more)


async def count(running, statement):
    return await running.runtime("tally").db.read(lambda reads: reads.scalar(statement))


async def test_a_retry_gets_the_same_bytes_and_changes_nothing(tally, kept):
    first = await add(tally)
    assert (first.status_code, first.json()) == (201, {"name": "a", "amount": 1, "additions": 1})
    assert (first.headers["location"], first.headers["etag"]) == ("/tally/v1/totals/a", '"1"')
    await add(tally, key="other")
    again = await add(tally)
    assert signature(again) == signature(first)
    assert await kept(tally) == {"a": 2}
    assert await count(tally, TOLD) == 2


async def test_a_reply_lost_after_the_commit_is_given_to_the_retry(tally, kept, monkeypatch):
    def lose(point):
        if point == "write:after-commit":
            raise ConnectionResetError

    monkeypatch.setattr(routing, "crash", lose)
    assert (await add(tally)).status_code == 500
    monkeypatch.undo()
    again = await add(tally)
    assert (again.status_code, again.json()["amount"]) == (201, 1)
    assert signature(await add(tally)) == signature(again)
    assert await kept(tally) == {"a": 1}


@pytest.mark.parametrize("path", [ADD, "/tally/v1/totals/a/start"])
async def test_ten_parallel_retries_have_one_effect_and_one_reply(tally, kept, path):
    """Also where the first one leaves a state that refuses a second: a retry must not be told so."""
    replies = await asyncio.gather(*(add(tally, path=path) for _ in range(10)))
    assert {reply.status_code for reply in replies} == {201}
    assert len({reply.content for reply in replies}) == 1
    assert await kept(tally) == {"a": 1}
    assert await count(tally, KEYS) == 1


async def test_parallel_first_tries_of_many_keys_are_all_done(tally, kept):
    replies = await asyncio.gather(*(add(tally, key=f"k{n % 10}") for n in range(30)))
    assert {reply.status_code for reply in replies} == {201}
    assert await kept(tally) == {"a": 10}


@pytest.mark.parametrize(
    "change",
    [{"amount": 2}, {"note": "x"}, {"path": "/tally/v1/totals/b/additions"}, {"path": f"{ADD}?dry=1"}],
    ids=["amount", "field", "path", "query"],
)
async def test_the_same_key_with_another_request_is_refused(tally, kept, change):
    await add(tally)
    refused = await add(tally, **change)
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
    assert await kept(tally) == {"a": 1}


async def test_another_callers_equal_key_is_another_key(tally, kept):
    for sub in ("kiosk-1", "kiosk-2"):
        assert (await add(tally, sub=sub)).status_code == 201
    await add(tally, role="app")
    await add(tally, role="teller")
    assert await kept(tally) == {"a": 4}


async def test_an_error_is_not_remembered(tally, kept):
    refused = await add(tally, path="/tally/v1/totals/a/refuse")
    assert refused.status_code == 409
    assert await count(tally, KEYS) == 0
    assert (await add(tally, path="/tally/v1/totals/a/start")).status_code == 201
    bad = await add(tally, key="k2", amount=-5)
    assert bad.status_code == 422
    assert (await add(tally, key="k2", amount=5)).status_code == 201
    assert await kept(tally) == {"a": 6}


async def test_a_failing_commit_is_never_a_success_and_its_key_stays_free(tally, kept, monkeypatch):
    db = tally.runtime("tally").db
    write = db.write

    async def fail(unit, *, actor, brief=False):
        async def undone(uow):
            await unit(uow)
            raise DatabaseUnavailable("commit failed")

        return await write(undone, actor=actor, brief=brief)

    monkeypatch.setattr(db, "write", fail, raising=False)
    failed = await add(tally)
    assert (failed.status_code, failed.json()["code"]) == (503, "unavailable")
    assert "retry-after" in failed.headers
    monkeypatch.undo()
    assert await kept(tally) == {}
    assert (await add(tally)).status_code == 201
    assert await kept(tally) == {"a": 1}


async def test_keys_live_through_a_restart(start, kept):
    async with start() as running:
        first = await add(running)
        url = running.runtime("tally").db.url
    async with start(url) as running:
        assert signature(await add(running)) == signature(first)
        assert await kept(running) == {"a": 1}


async def test_keys_are_forgotten_after_their_time(tally, kept, noon):
    await add(tally)
    runtime = tally.runtime("tally")
    housekeeping = Housekeeping(runtime.db, runtime.settings)
    noon.advance(timedelta(hours=71, minutes=59))
    await housekeeping.turn()
    assert await count(tally, KEYS) == 1
    noon.advance(timedelta(minutes=2))
    assert await housekeeping.turn() == 1
    await add(tally)
    assert await kept(tally) == {"a": 2}


@pytest.mark.parametrize("role", ["kiosk", "app", "integration"])
async def test_machines_must_send_a_key(tally, kept, role):
    headers = tally.headers(role)
    del headers["idempotency-key"]
    refused = await tally.client.post(ADD, headers=headers, json={"amount": 1})
    assert (refused.status_code, refused.json()["code"]) == (400, "idempotency_key_required")
    assert refused.json()["errors"][0]["pointer"] == "/header/idempotency-key"
    assert await kept(tally) == {}


async def test_people_may_do_without(tally, kept):
    headers = tally.headers("teller")
    del headers["idempotency-key"]
    for _ in range(2):
        assert (await tally.client.post(ADD, headers=headers, json={"amount": 1})).status_code == 201
    assert (await kept(tally), await count(tally, KEYS)) == ({"a": 2}, 0)


@pytest.mark.parametrize("key", ["", "a b", "x" * 129, "é"])
async def test_a_malformed_key_is_refused(tally, kept, key):
    headers = httpx.Headers(tally.headers("kiosk"), encoding="latin-1")
    headers["idempotency-key"] = key
    refused = await tally.client.post(ADD, headers=headers, json={"amount": 1})
    assert (refused.status_code, refused.json()["code"]) == (400, "idempotency_key_malformed")
    assert await kept(tally) == {}


async def test_an_empty_reply_is_remembered_too(tally, kept):
    replies = [
        await tally.client.delete("/tally/v1/totals/a", headers=tally.headers("kiosk", key="k")) for _ in range(3)
    ]
    assert [(reply.status_code, reply.content) for reply in replies] == [(204, b"")] * 3
    assert await kept(tally) == {"a": 1}


async def test_two_links_equal_keys_are_two_keys(tally, kept):
    for link in ("x1", "x2", "x1"):
        answer = await tally.client.post(f"/tally/v1/links/{link}", headers={"idempotency-key": "same"})
        assert answer.status_code == 201
    assert await kept(tally) == {"x1": 1, "x2": 1}
