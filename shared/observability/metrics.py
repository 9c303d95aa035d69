"""Prometheus metrics of one application, in a registry of its own: two applications in one process do not mix.

Labels are bounded: services, route templates, methods of a list, status classes, handlers, topics and partitions.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric

from shared.observability.event_metrics import EventMetrics
from shared.observability.http_metrics import HttpMetrics, HttpMetricsMiddleware
from shared.observability.logging import get_logger
from shared.observability.loop_metrics import LoopWatch
from shared.observability.web_metrics import WebMetrics

__all__ = ["EventMetrics", "HttpMetricsMiddleware", "Metrics", "Source"]

Source = Callable[[], Awaitable[Iterable[Metric] | None]]
"""Asked at each scrape: returns families (figures read from tables) or sets gauges of :class:`EventMetrics`."""

SOURCE_LIMIT = 5.0
"""Seconds a source may take; a slow one is left out of this scrape, and counted."""

log = get_logger("metrics")


class Metrics:
    """All metrics of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.http = HttpMetrics(self.registry)
        self.events = EventMetrics(self.registry)
        self.loop = LoopWatch(self.registry)
        self.web = WebMetrics(self.registry)
        self._sources: dict[str, Source] = {}
        self._failed = Counter(
            "wangdian_scrape_failures", "Sources left out of a scrape", ["source"], registry=self.registry
        )

    def add_source(self, name: str, source: Source) -> None:
        """Ask ``source`` at each scrape; ``name`` is a constant and labels its failures."""
        self._sources[name] = source
        self._failed.labels(name)

    async def watch_loop(self) -> None:
        """Measure for ever how late the event loop is; run it as a task."""
        await self.loop.watch()

    async def render(self, accept: str = "") -> tuple[bytes, str]:
        """The exposition and its content type, text or OpenMetrics by ``accept``; written in a thread."""
        found = await asyncio.gather(*(self._ask(name, source) for name, source in self._sources.items()))
        families = [family for part in found for family in part]
        return await asyncio.to_thread(self._write, accept, families)

    async def _ask(self, name: str, source: Source) -> list[Metric]:
        try:
            async with asyncio.timeout(SOURCE_LIMIT):
                return list(await source() or ())
        except Exception as error:
            # One sick source must not hide the figures of the others.
            self._failed.labels(name).inc()
            log.warning("source_failed", source=name, error=type(error).__name__, exc_info=error)
            return []

    def _write(self, accept: str, families: list[Metric]) -> tuple[bytes, str]:
        encode, content_type = choose_encoder(accept)
        return encode(_Joined(self.registry, families)), content_type


class _Joined(CollectorRegistry):
    """A registry's own families followed by those of the sources, for one exposition."""

    def __init__(self, registry: CollectorRegistry, families: list[Metric]) -> None:
        super().__init__()
        self._registry = registry
        self._families = families

    def collect(self) -> Iterable[Metric]:
        """Families by name; those of one name from several sources become one."""
        yield from self._registry.collect()
        joined: dict[str, Metric] = {}
        for family in self._families:
            first = joined.setdefault(family.name, family)
            if first is not family:
                first.samples.extend(family.samples)
        yield from joined.values()
