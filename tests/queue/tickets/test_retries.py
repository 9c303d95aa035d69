"""Lost replies, retries and failing commits at the ticket's route, on both databases."""

import asyncio
import statistics

import sqlalchemy as sa

from services.queue.tickets.models import Visit
from shared.db.statements import table
from shared.db.tables import idempotency

TICKETS = "/branches/gz-001/tickets"
CASH = {"service": "cash", "channel": "app"}


async def visits(hall):
    return len(await hall.rows(sa.select(table(Visit).c.id)))


async def test_ten_parallel_retries_make_one_visit_and_get_the_same_bytes(either_hall):
    hall = either_hall
    answers = await asyncio.gather(
        *(hall.send("POST", TICKETS, "app", json=CASH, key="one", expect=201) for _ in range(10))
    )
    assert len({(answer.content, answer.headers["location"], answer.headers["etag"]) for answer in answers}) == 1
    assert (await visits(hall), len(await hall.told("queue.visit.opened"))) == (1, 1)
    # The reply was lost; hours later, and after other tickets, it is still the same.
    await hall.issue()
    hall.tick(3600)
    assert (await hall.send("POST", TICKETS, "app", json=CASH, key="one", expect=201)).content == answers[0].content
    assert await visits(hall) == 2


async def test_a_key_belongs_to_one_caller_and_one_request(either_hall):
    hall = either_hall
    first = await hall.send("POST", TICKETS, "app", json=CASH, key="k", expect=201)
    for body in (CASH | {"service": "wealth"}, CASH | {"class": "vip"}):
        reused = await hall.send("POST", TICKETS, "app", json=body, key="k", expect=422)
        assert reused.json()["code"] == "idempotency_key_reused"
    path = "/branches/gz-002/tickets"
    assert (await hall.send("POST", path, "app", units=("hq",), json=CASH, key="k", expect=422)).json()["errors"]
    other = await hall.send("POST", TICKETS, "kiosk", json=CASH, key="k", expect=201)
    assert other.json()["id"] != first.json()["id"]
    assert await visits(hall) == 2


async def test_apps_kiosks_and_integrations_must_bring_a_key(hall):
    for role in ("app", "kiosk", "integration"):
        headers = hall.running.headers(role, units=("gz-001",))
        del headers["idempotency-key"]
        answer = await hall.running.client.post(f"/queue/v1{TICKETS}", json=CASH, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_required")
    headers = hall.running.headers("teller", staff="T0001", units=("gz-001",))
    del headers["idempotency-key"]
    answer = await hall.running.client.post(f"/queue/v1{TICKETS}", json={"service": "cash"}, headers=headers)
    assert answer.status_code == 201
    assert await visits(hall) == 1


async def test_a_refused_request_leaves_its_key_free(either_hall):
    hall = either_hall
    await hall.send("POST", TICKETS, "app", json=CASH | {"service": "gold"}, key="k", expect=409)
    assert await hall.rows(sa.select(idempotency.c.key)) == []
    await hall.send("POST", TICKETS, "app", json=CASH, key="k", expect=201)


async def test_a_unit_that_fails_at_its_end_is_never_acknowledged(either_hall):
    hall = either_hall
    # The visit's row is written before its event: with the outbox gone, the unit fails after most of its work.
    await hall.db.write(lambda uow: uow.execute(sa.text("DROP TABLE outbox")), actor="test")
    answer = await hall.send("POST", TICKETS, "app", json=CASH, key="k", expect=None)
    assert answer.status_code >= 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await visits(hall), await hall.rows(sa.select(idempotency.c.key))) == (0, [])


async def test_many_writers_at_once_meet_no_lock_error_and_none_waits_much_longer_than_the_others(either_hall):
    """A wait is counted in others' tickets issued meanwhile, which says the same on any machine."""
    hall, issued, waits = either_hall, 0, []

    async def writer():
        nonlocal issued
        for _ in range(5):
            before = issued
            await hall.issue()
            issued += 1
            waits.append(issued - before)

    await asyncio.gather(*(writer() for _ in range(40)))
    assert len(waits) == 200
    assert statistics.quantiles(waits, n=100)[98] <= 5 * statistics.median(waits), sorted(waits)[::10]
