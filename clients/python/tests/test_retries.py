"""A call is sent again only when that is safe and useful, always under one key, and never without bounds."""

from typing import Any

import httpx
import pytest
from wangdian_client import NO_RETRY, Busy, Conflict, Problem, Retry, Unreachable

TICKET = httpx.Response(201, json={"id": "v1", "number": "A001"})


def issue(client: Any, **options: Any) -> Any:
    return client.queue.tickets.issue("gz-001", "cash", **options)


@pytest.mark.parametrize(
    "lost",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("slow"),
        httpx.ReadTimeout("slow"),
        httpx.ReadError("reset"),
        httpx.RemoteProtocolError("disconnected"),
        httpx.Response(429),
        httpx.Response(502),
        httpx.Response(503),
        httpx.Response(504, text="<html>gateway</html>"),
        httpx.Response(409, headers={"Retry-After": "1"}, json={"code": "reference_not_yet_known"}),
    ],
    ids=str,
)
async def test_a_lost_or_delayed_reply_is_asked_for_again_under_the_same_key(subject, server, lost):
    bank = server(lost, lost, TICKET)
    assert (await subject.on(bank).do(issue))["id"] == "v1"
    assert len(bank.keys) == 3
    assert len(set(bank.keys)) == 1
    assert bank.keys[0]
    assert [request.content for request in bank.requests] == [bank.requests[0].content] * 3


async def test_each_write_has_a_key_of_its_own_and_reads_have_none(subject, server):
    bank = server(TICKET)
    subject.on(bank)
    await subject.do(issue)
    await subject.do(issue)
    await subject.do(lambda c: c.queue.visits.get("v1"))
    first, second, read = bank.keys
    assert first != second
    assert read is None


async def test_a_callers_own_key_is_sent(subject, server):
    bank = server(httpx.Response(503), TICKET)
    await subject.on(bank).do(lambda c: issue(c, idempotency_key="mine"))
    assert bank.keys == ["mine", "mine"]


@pytest.mark.parametrize("status", [400, 401, 404, 409, 412, 422, 500])
async def test_a_decision_is_not_asked_for_again(subject, server, status):
    bank = server(httpx.Response(status))
    with pytest.raises(Problem) as caught:
        await subject.on(bank).do(issue)
    assert len(bank.requests) == 1
    assert caught.value.idempotency_key == bank.keys[0]
    assert subject.time.pauses == []


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "Wed, 25 Nov 2026 02:30:09 GMT", "Date": "Wed, 25 Nov 2026 02:30:00 GMT"}, 9.0),
        ({"Retry-After": "Wed, 25 Nov 2026 02:29:00 GMT", "Date": "Wed, 25 Nov 2026 02:30:00 GMT"}, 0.0),
        ({"Retry-After": "Thu, 01 Jan 1998 00:00:00 GMT"}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-3"}, None),
    ],
)
async def test_retry_after_is_a_floor_in_seconds_or_as_a_date(subject, server, headers, seconds):
    bank = server(httpx.Response(503, headers=headers), TICKET)
    await subject.on(bank, retry=Retry(base=0.25, uniform=lambda low, high: high)).do(issue)
    assert subject.time.pauses == [0.25 if seconds is None else seconds + 0.25]


async def test_pauses_are_drawn_between_nothing_and_a_doubling_bound(subject, server):
    drawn = []

    def uniform(low: float, high: float) -> float:
        drawn.append((low, high))
        return low

    with pytest.raises(Busy):
        await subject.on(server(httpx.Response(503)), retry=Retry(6, 0.5, 3.0, 60.0, uniform)).do(issue)
    assert drawn == [(0, 0.5), (0, 1.0), (0, 2.0), (0, 3.0), (0, 3.0)]


def test_the_default_draw_stays_within_its_bounds_however_often():
    policy = Retry()
    assert all(0 <= policy.pause(sent, None) <= policy.cap for sent in (1, 2, 5, 5_000) for _ in range(200))
    assert all(3 <= policy.pause(1, 3.0) <= 3 + policy.base for _ in range(200))


async def test_attempts_are_bounded(subject, server):
    bank = server(httpx.ConnectError("refused"))
    with pytest.raises(Unreachable) as caught:
        await subject.on(bank, retry=Retry(attempts=3)).do(issue)
    assert len(bank.requests) == caught.value.attempts == 3
    assert caught.value.idempotency_key == bank.keys[0]
    assert isinstance(caught.value.__cause__, httpx.ConnectError)


async def test_total_time_is_bounded_and_a_wait_beyond_it_is_not_begun(subject, server):
    bank = server(httpx.Response(503, headers={"Retry-After": "20"}))
    with pytest.raises(Busy) as caught:
        await subject.on(bank, retry=Retry(attempts=9, total=50, uniform=lambda low, high: low)).do(issue)
    assert subject.time.pauses == [20, 20]
    assert caught.value.retry_after == 20


async def test_a_conflict_that_stays_unknown_is_raised_at_last(subject, server):
    bank = server(httpx.Response(409, headers={"Retry-After": "1"}, json={"code": "reference_not_yet_known"}))
    with pytest.raises(Conflict, match="reference_not_yet_known"):
        await subject.on(bank, retry=Retry(attempts=2)).do(issue)
    assert len(bank.requests) == 2


async def test_no_retry_sends_once(subject, server):
    bank = server(httpx.ReadTimeout("slow"))
    with pytest.raises(Unreachable):
        await subject.on(bank, retry=NO_RETRY).do(issue)
    assert len(bank.requests) == 1


async def test_an_error_of_our_own_making_is_not_retried(subject, server):
    bank = server(httpx.UnsupportedProtocol("ftp"))
    with pytest.raises(Unreachable):
        await subject.on(bank).do(issue)
    assert len(bank.requests) == 1
