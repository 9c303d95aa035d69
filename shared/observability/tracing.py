"""Trace context (W3C ``traceparent``): one id from the request over its events to the reactions they cause."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from shared.ids import uuid7

if TYPE_CHECKING:
    # Types alone: use cases read the current trace, and load no web framework by it.
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_FORMAT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)


class Trace(NamedTuple):
    """Where we are in a trace: its id (32 hex digits), our span (16) and the flags (2; ``01`` is sampled)."""

    trace_id: str
    span_id: str
    flags: str

    @property
    def header(self) -> str:
        """The ``traceparent`` to hand on."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"

    def child(self) -> Self:
        """A new span of the same trace."""
        return self._replace(span_id=_span())


current_trace: ContextVar[Trace | None] = ContextVar("current_trace", default=None)
"""The trace of what runs now; a thread that works for a request must run in a copy of its context."""


def create() -> Trace:
    """The root of a new, sampled trace; its span is the random half of the trace's id, unique within the trace."""
    identifier = uuid7().replace("-", "")
    return Trace(identifier, identifier[16:], "01")


def parse(traceparent: str) -> Trace | None:
    """The trace of a header, None when it is not valid (wrong form, version ``ff``, an id of zeros).

    A higher version is read as far as version 00 goes, as the recommendation asks.
    """
    match = _FORMAT.fullmatch(traceparent.strip())
    if match is None:
        return None
    version, trace, span, flags, rest = match.groups()
    if version == "ff" or (version == "00" and rest) or not int(trace, 16) or not int(span, 16):
        return None
    return Trace(trace, span, f"{int(flags, 16) & 1:02x}")


def child(traceparent: str) -> Trace:
    """A span under ``traceparent``; a new trace when that is not valid."""
    parent = parse(traceparent)
    return create() if parent is None else parent.child()


def trace_id() -> str | None:
    """The id of the current trace, None outside of any."""
    trace = current_trace.get()
    return None if trace is None else trace.trace_id


def current_traceparent() -> str:
    """The header to hand on to an event or a call; outside of any trace that of a new one."""
    return (current_trace.get() or create()).header


@contextmanager
def trace_of(traceparent: str) -> Iterator[Trace]:
    """Run a block as a child of ``traceparent`` (a reaction under the event that caused it)."""
    trace = child(traceparent)
    token = current_trace.set(trace)
    try:
        yield trace
    finally:
        current_trace.reset(token)


BENEATH: Final = "wangdian.send"
"""Where a request's scope keeps the ``send`` beneath every layer of ours, for replies that go on and on."""


class TraceMiddleware:
    """Reads or makes the request's trace and answers with it: ``x-trace-id`` and ``traceresponse``."""

    def __init__(self, app: "ASGIApp") -> None:
        self._app = app

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Serve one request inside its trace."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        trace = _of_request(scope["headers"])
        added = [(b"x-trace-id", trace.trace_id.encode()), (b"traceresponse", trace.header.encode())]

        async def answer(message: "Message") -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *added]}
            await send(message)

        scope[BENEATH] = send
        token = current_trace.set(trace)
        await self._app(scope, receive, answer)
        # Not in a finally: the outermost error handler, which runs after us, still names the trace in its reply.
        current_trace.reset(token)


def _of_request(headers: Any) -> Trace:
    given = [value for name, value in headers if name == b"traceparent"]
    return child(given[0].decode("latin-1")) if len(given) == 1 else create()


def _span() -> str:
    # The lower half of a UUIDv7 is random and, for its variant bits, never zero.
    return uuid7().replace("-", "")[16:]
