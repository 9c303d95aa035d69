"""Trace context: reading, making and handing on."""

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.observability import tracing
from shared.observability.tracing import TraceMiddleware, current_trace, current_traceparent, parse, trace_id, trace_of

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
VALID = f"00-{TRACE}-{SPAN}-01"


def test_a_valid_header_is_read_and_written_back() -> None:
    trace = parse(VALID)
    assert trace == (TRACE, SPAN, "01")
    assert trace.header == VALID


@pytest.mark.parametrize(
    "header",
    [
        "",
        "garbage",
        VALID.upper(),
        VALID + "-more",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[:-1]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-0g",
        f"0٣-{TRACE}-{SPAN}-01",
    ],
)
def test_an_invalid_header_is_replaced_by_a_new_trace(header: str) -> None:
    assert parse(header) is None
    replaced = tracing.child(header)
    assert parse(replaced.header) == replaced
    assert replaced.trace_id != TRACE


def test_a_later_version_is_read_as_far_as_we_know_it() -> None:
    assert parse(f"01-{TRACE}-{SPAN}-03-extra") == (TRACE, SPAN, "01")


@given(st.text())
def test_any_text_gives_a_usable_trace(text: str) -> None:
    trace = tracing.child(text)
    assert parse(trace.header) == trace


def test_a_child_keeps_the_trace_and_gets_its_own_span() -> None:
    with trace_of(VALID) as trace:
        assert trace_id() == trace.trace_id == TRACE
        assert trace.span_id != SPAN
        assert current_traceparent() == trace.header
    assert trace_id() is None
    assert parse(current_traceparent()) is not None


def test_traces_differ() -> None:
    assert len({tracing.create() for _ in range(1000)}) == 1000


async def app(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": current_traceparent().encode()})


async def ask(*headers: tuple[str, str]) -> httpx.Response:
    transport = httpx.ASGITransport(TraceMiddleware(app))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.get("/", headers=list(headers))


async def test_a_request_runs_in_its_trace_and_the_reply_names_it() -> None:
    reply = await ask(("traceparent", VALID))
    assert reply.headers["x-trace-id"] == TRACE
    assert reply.headers["traceresponse"] == reply.text
    assert reply.text.startswith(f"00-{TRACE}-")
    assert current_trace.get() is None


async def test_a_request_with_two_headers_or_none_gets_a_new_trace() -> None:
    twice = await ask(("traceparent", VALID), ("traceparent", VALID))
    none = await ask()
    assert TRACE not in {twice.headers["x-trace-id"], none.headers["x-trace-id"]}
    assert twice.headers["x-trace-id"] != none.headers["x-trace-id"]


async def test_after_a_failure_the_outer_error_handler_still_knows_the_trace() -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise ValueError

    scope = {"type": "http", "headers": [(b"traceparent", VALID.encode())]}
    before = current_trace.set(None)
    try:
        with pytest.raises(ValueError):
            await TraceMiddleware(broken)(scope, None, None)  # type: ignore[arg-type]
        assert trace_id() == TRACE
    finally:
        current_trace.reset(before)
