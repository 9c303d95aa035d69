"""Passing a W3C trace context on: the request of a user here and the events it causes there share one trace id."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_traceparent: ContextVar[str | None] = ContextVar("wangdian_traceparent", default=None)


def current_traceparent() -> str | None:
    """The `traceparent` set by the innermost `trace` block of this thread or task, or None."""
    return _traceparent.get()


@contextmanager
def trace(traceparent: str | None) -> Iterator[None]:
    """Send `traceparent` (W3C Trace Context, `00-<trace id>-<parent id>-<flags>`) with each call made inside the block.

    The header is passed on as given; None switches it off again inside an outer block.
    """
    token = _traceparent.set(traceparent)
    try:
        yield
    finally:
        _traceparent.reset(token)
