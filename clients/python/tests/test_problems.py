"""Every refusal is an exception of its status with the members of RFC 9457, whatever the body was."""

import httpx
import pytest
from wangdian_client import (
    NO_RETRY,
    Busy,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Problem,
    StaleVersion,
    Unauthorised,
    WangdianError,
)

BODY = {
    "type": "/problems/illegal_transition",
    "code": "illegal_transition",
    "title": "当前状态不允许此操作",
    "status": 409,
    "detail": "A visit that was served cannot be started.",
    "errors": [{"pointer": "/state", "code": "state"}],
    "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    "state": "served",
    "allowed": [],
}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Problem),
        (401, Unauthorised),
        (403, Forbidden),
        (404, NotFound),
        (409, Conflict),
        (412, StaleVersion),
        (413, Problem),
        (422, Invalid),
        (429, Busy),
        (500, Problem),
        (502, Busy),
        (503, Busy),
        (504, Busy),
    ],
)
async def test_a_problem_is_the_class_of_its_status(subject, server, status, kind):
    bank = server(httpx.Response(status, json={**BODY, "status": status}))
    with pytest.raises(WangdianError) as caught:
        await subject.on(bank, retry=NO_RETRY).do(lambda c: c.queue.visits.start("v1"))
    problem = caught.value
    assert type(problem) is kind
    assert (problem.status, problem.code, problem.type) == (status, BODY["code"], BODY["type"])
    assert (problem.title, problem.detail, problem.trace_id) == (BODY["title"], BODY["detail"], BODY["trace_id"])
    assert problem.errors == ({"pointer": "/state", "code": "state"},)
    assert problem.extra == {"state": "served", "allowed": []}
    assert str(problem) == f"{status} illegal_transition: {BODY['detail']}"


async def test_an_illegal_transition_says_where_the_object_is_and_what_may_be_done(subject, server):
    bank = server(httpx.Response(409, json={"code": "illegal_transition", "state": "called", "allowed": ["start"]}))
    with pytest.raises(Conflict) as caught:
        await subject.on(bank).do(lambda c: c.queue.visits.finish("v1"))
    assert caught.value.state == "called"
    assert caught.value.allowed == ["start"]


@pytest.mark.parametrize(
    "body", [b"", b"<html>502</html>", b"[1]", b"null", b'"text"', b"\xff\xfe", b'{"errors": "x"}']
)
async def test_a_body_that_is_no_problem_still_gives_one(subject, server, body):
    bank = server(httpx.Response(502, content=body, headers={"Content-Type": "text/html"}))
    with pytest.raises(Problem) as caught:
        await subject.on(bank, retry=NO_RETRY).do(lambda c: c.queue.visits.get("v1"))
    assert caught.value.code == "http_502"
    assert caught.value.title == "Bad Gateway"
    assert caught.value.errors == ()


async def test_a_redirect_is_not_followed(subject, server):
    bank = server(httpx.Response(307, headers={"Location": "http://elsewhere.test/"}))
    with pytest.raises(Problem):
        await subject.on(bank).do(lambda c: c.queue.visits.get("v1"))
    assert len(bank.requests) == 1
