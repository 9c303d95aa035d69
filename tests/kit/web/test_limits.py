"""Whatever is sent: a clear 4xx, and nothing changed."""

import asyncio
import json

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.testing.system import system
from shared.testing.tally.spec import SPEC
from shared.web.limits import BodyLimit

ADD = "/tally/v1/totals/a/additions"
LIMIT = 1 << 20


async def send(running, content, *, path=ADD, headers=()):
    ready = running.headers("teller") | {"content-type": "application/json"} | dict(headers)
    return await running.client.post(path, headers=ready, content=content)


def padded(size):
    """A valid body of exactly ``size`` bytes."""
    body = b'{"amount": 1'
    return body + b" " * (size - len(body) - 1) + b"}"


async def chunks(content, size=65536):
    for start in range(0, len(content), size):
        yield content[start : start + size]


def assert_too_large(answer):
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large"), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"] == "The body is too large"


@pytest.mark.parametrize("size", [LIMIT, 100])
async def test_a_body_up_to_the_limit_is_taken(tally, kept, size):
    assert (await send(tally, padded(size))).status_code == 201
    assert (await send(tally, chunks(padded(size)))).status_code == 201
    assert await kept(tally) == {"a": 2}


@pytest.mark.parametrize("size", [LIMIT + 1, 2 << 20])
async def test_a_larger_body_is_refused_whether_its_length_is_declared_or_not(tally, kept, size):
    assert_too_large(await send(tally, padded(size)))
    assert_too_large(await send(tally, chunks(padded(size))))
    assert_too_large(await send(tally, chunks(padded(size)), headers={"content-length": "5"}))
    assert await kept(tally) == {}


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "9" * 5000, ""])
async def test_a_length_that_is_no_length_is_refused(tally, kept, length):
    answer = await send(tally, chunks(padded(100)), headers={"content-length": length})
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert await kept(tally) == {}


async def test_uploads_have_a_limit_of_their_own():
    seen = []

    async def app(scope, receive, send):
        while True:
            message = await receive()
            seen.append(len(message["body"]))
            if not message.get("more_body"):
                break

    limited = BodyLimit(app, 10, 100, {"/up"})

    async def receive():
        return {"type": "http.request", "body": b"x" * 60}

    await limited({"type": "http", "path": "/up", "headers": []}, receive, None)
    assert seen == [60]


BAD = {
    "nothing": b"",
    "bad UTF-8": b'{"amount": 1, "note": "\xff\xfe"}',
    "a lone surrogate": b'{"amount": 1, "note": "\\ud800"}',
    "a lone surrogate as a key": b'{"amount": 1, "\\ud800": 1}',
    "NUL": b'{"amount": 1, "note": "a\\u0000b"}',
    "NUL raw": b'{"amount": 1, "note": "a\x00b"}',
    "NUL as a body": b"\x00",
    "deep lists": b'{"amount": ' + b"[" * 200_000,
    "deep and closed": b"[" * 90_000 + b"]" * 90_000,
    "deep objects": b'{"a":' * 100_000,
    "a huge integer": b'{"amount": ' + b"9" * 100_000 + b"}",
    "an integer above 64 bits": b'{"amount": 99999999999999999999}',
    "a huge float": b'{"amount": 1e999}',
    "NaN": b'{"amount": NaN}',
    "minus infinity": b'{"amount": -Infinity}',
    "a list": b"[]",
    "null": b"null",
    "text": b'"amount"',
    "half": b'{"amount": 1',
    "twice": b'{"amount": 1}{"amount": 1}',
    "UTF-16": '{"amount": 1, "x": "é"}'.encode("utf-16"),
    "many errors": json.dumps({"amount": 1} | {f"k{n}": n for n in range(20_000)}).encode(),
}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD)
async def test_a_body_that_is_not_the_command_is_a_clear_refusal(tally, kept, body):
    answer = await send(tally, body)
    assert answer.status_code in (400, 413, 422), answer.text[:300]
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == answer.status_code
    assert len(answer.content) < 20_000
    assert await kept(tally) == {}


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/xml", "multipart/form-data", "application/json; charset=x", ";;"]
)
async def test_a_body_of_another_kind_is_refused_or_read_as_what_it_is(tally, kept, kind):
    answer = await send(tally, b'{"amount": 1}', headers={"content-type": kind})
    assert answer.status_code in (201, 400, 415, 422)
    assert (answer.status_code == 201) == bool(await kept(tally))


@pytest.mark.parametrize(
    "name", ["%00", "a%00b", "%ff%fe", "%F0%9F%92%A9", "a" * 65, "..", "-a", "a%0Ab", "a%2Fb", "%ed%a0%80", "a%0A"]
)
async def test_a_name_that_is_no_id_is_a_clear_refusal(tally, kept, name):
    answer = await send(tally, b'{"amount": 1}', path=f"/tally/v1/totals/{name}/additions")
    assert answer.status_code in (404, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert await kept(tally) == {}


@pytest.mark.parametrize(
    "query", ["q=%00", "q=%ff", "limit=%00", "limit=" + "9" * 5000, "limit=1e3", "cursor=%00", "limit=0"]
)
async def test_an_odd_query_is_a_clear_refusal(tally, query):
    path = "/tally/v1/odd" if query.startswith("q=") else "/tally/v1/totals"
    answer = await tally.call("GET", f"{path}?{query}", "teller")
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.one_of(st.binary(max_size=200), st.text(max_size=100).map(str.encode)))
def test_random_bytes_never_break_us(content, anvil):
    answer = anvil(content)
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.fixture
def anvil(tmp_path, noon):
    """Sends a body to a tally on SQLite from synchronous code."""
    loop = asyncio.new_event_loop()
    context = system([SPEC], tmp_path / "anvil", clock=noon)
    running = loop.run_until_complete(context.__aenter__())

    def strike(content) -> httpx.Response:
        return loop.run_until_complete(send(running, content))

    yield strike
    loop.run_until_complete(context.__aexit__(None, None, None))
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
