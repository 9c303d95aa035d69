"""Every error leaves as problem+json: stable code, both languages, pointers, nothing of our insides."""

import pytest
import sqlalchemy as sa

from shared.db.tables import outbox

TOLD = sa.select(outbox.c.subject)
A = "/tally/v1/totals/a"
WRONG = "/tally/v1/totals/a/additions"


def shape(answer, status, code):
    """The members that every problem has."""
    body = answer.json()
    assert answer.status_code == status, body
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert (body["status"], body["code"]) == (status, code)
    assert body["type"] == f"https://wangdian.example/problems/{code}"
    assert body["title"]
    return body


async def post(running, path=WRONG, role="teller", headers=(), **request):
    return await running.client.post(path, headers=running.headers(role) | dict(headers), **request)


async def test_wrong_fields_are_named_by_pointer(tally):
    body = {"amount": "x", "note": "", "tags": [1, "ok"], "more": 1}
    errors = shape(await post(tally, json=body), 422, "invalid_request")["errors"]
    assert {(e["pointer"], e["code"]) for e in errors} == {
        ("/amount", "int_parsing"),
        ("/note", "string_too_short"),
        ("/tags/0", "string_type"),
        ("/more", "extra_forbidden"),
    }


async def test_a_wrong_parameter_says_where_it_stands(tally):
    answer = await tally.call("GET", "/tally/v1/totals?limit=201", "teller")
    assert shape(answer, 422, "invalid_request")["errors"][0]["pointer"] == "/query/limit"
    answer = await post(tally, "/tally/v1/totals/%20/additions", json={"amount": 1})
    assert shape(answer, 422, "invalid_request")["errors"][0]["pointer"] == "/path/name"


async def test_pointers_escape_what_a_pointer_needs_escaped(tally):
    answer = await post(tally, json={"amount": 1, "a/b~c": 1})
    assert shape(answer, 422, "invalid_request")["errors"][0]["pointer"] == "/a~1b~0c"


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("", "zh"), ("en", "en"), ("en-GB,zh;q=0.5", "en"), ("zh-CN,en;q=0.9", "zh"), ("de, en;q=0.1", "en"),
        ("fr", "zh"), ("en;q=0", "zh"), ("en;q=x", "zh"), ("*", "zh"), (",,;", "zh"), ("zh;q=0.1,en;q=0.2", "en"),
    ],
)  # fmt: skip
async def test_the_title_is_in_the_callers_language(tally, asked, language):
    answer = await post(tally, f"{A}/refuse", headers={"accept-language": asked})
    body = shape(answer, 409, "refused")
    assert answer.headers["content-language"] == language
    assert (body["title"], body["detail"]) == {"zh": ("已拒绝", "不。"), "en": ("Refused", "No.")}[language]
    assert body["errors"] == [{"pointer": "/name", "code": "refused", "detail": body["detail"]}]
    assert body["state"] == "full"


async def test_what_a_refusal_tells_is_kept_though_its_unit_is_not(tally, kept):
    shape(await post(tally, f"{A}/refuse"), 409, "refused")
    assert await kept(tally) == {}
    rows = await tally.runtime("tally").db.read(lambda reads: reads.all(TOLD))
    assert [row.subject for row in rows] == ["a"]


async def test_a_fault_of_ours_rolls_back_and_shows_nothing(tally, kept):
    answer = await post(tally, f"{A}/break")
    shape(answer, 500, "internal_error")
    assert "Zhang" not in answer.text
    assert await kept(tally) == {}


async def test_a_problem_says_by_which_trace_it_is_found(tally):
    body = shape(await post(tally, f"{A}/refuse"), 409, "refused")
    assert len(body["trace_id"]) == 32


async def test_what_a_check_of_the_database_refuses_is_not_valid(tally, kept):
    shape(await post(tally, json={"amount": -1}), 422, "invalid_request")
    assert await kept(tally) == {}


async def test_unknown_paths_and_methods_are_problems(tally):
    shape(await tally.call("GET", "/nowhere", "teller"), 404, "not_found")
    answer = await tally.call("PATCH", A, "teller")
    shape(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "DELETE, GET, PUT"


async def test_no_token_and_no_scope_are_problems(tally):
    shape(await tally.client.get(A), 401, "unauthenticated")
    shape(await tally.call("GET", A, "kiosk"), 403, "forbidden")
