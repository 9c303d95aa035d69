"""HTTP: requests, durations and requests in flight by service, route template, method and status class."""

import time
from typing import TYPE_CHECKING, Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNMATCHED = "unmatched"
"""The route of a path that no route takes: the path itself is the caller's text and never a label."""


class HttpMetrics:
    """The families, with bound children kept, as looking labels up costs more than counting."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ["service", "route", "method", "status"]
        self._requests = Counter("wangdian_http_requests", "Requests answered", labels, registry=registry)
        self._seconds = Histogram(
            "wangdian_http_request_seconds",
            "From the request to the end of the reply (to its start for event streams)",
            labels,
            buckets=BUCKETS,
            registry=registry,
        )
        self.in_flight = Gauge("wangdian_http_in_flight", "Requests being served", registry=registry)
        self._bound: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def observe(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one reply; ``route`` is a template or :data:`UNMATCHED`."""
        key = (route, method if method in METHODS else "other", status // 100)
        bound = self._bound.get(key)
        if bound is None:
            labels = (service_of(route), *key[:2], f"{key[2]}xx")
            bound = self._bound[key] = (self._requests.labels(*labels), self._seconds.labels(*labels))
        bound[0].inc()
        bound[1].observe(seconds)


class HasHttpMetrics(Protocol):
    """What the middleware needs of :class:`shared.observability.metrics.Metrics`."""

    @property
    def http(self) -> HttpMetrics:
        """Where to count."""
        ...


class HttpMetricsMiddleware:
    """Measures each request; a request that ends in an exception counts as 5xx."""

    def __init__(self, app: "ASGIApp", metrics: HasHttpMetrics) -> None:
        self._app = app
        self._http = metrics.http

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Serve and measure one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500
        started = time.perf_counter()
        until: float | None = None

        async def answer(message: "Message") -> None:
            nonlocal status, until
            if message["type"] == "http.response.start":
                status = message["status"]
                if _is_stream(message):
                    until = time.perf_counter()
            await send(message)

        self._http.in_flight.inc()
        try:
            await self._app(scope, receive, answer)
        finally:
            self._http.in_flight.dec()
            seconds = (until or time.perf_counter()) - started
            self._http.observe(route_of(scope), scope["method"], status, seconds)


def route_of(scope: "Scope") -> str:
    """The template of the route that took the request, known once the application has run."""
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) else UNMATCHED


def service_of(route: str) -> str:
    """``queue`` of ``/queue/v1/…`` and of its pages, ``web`` for what pages load; else ``operator``."""
    parts = route.split("/")
    if len(parts) < 3 or parts[1] == "static":
        return "web" if parts[1:2] == ["static"] or route in ("/", "/sign-in", "/sign-out", "/docs") else "operator"
    return parts[1]


def _is_stream(message: "Message") -> bool:
    return any(
        name.lower() == b"content-type" and value.startswith(b"text/event-stream")
        for name, value in message.get("headers", ())
    )
