"""A histogram that takes many observations at once; the client library's takes them one by one, each under locks."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector


class BatchHistogram(Collector):
    """Observations by one label; ``buckets`` are the upper edges, included, in ascending order."""

    def __init__(
        self, name: str, text: str, label: str, *, buckets: Sequence[float], registry: CollectorRegistry
    ) -> None:
        self._name, self._text, self._label = name, text, label
        self._edges = tuple(buckets)
        self._found: dict[str, tuple[list[int], float]] = {}
        registry.register(self)

    def observe(self, value: str, amounts: Iterable[float]) -> None:
        """Count ``amounts`` for the label's ``value``; on the loop's thread alone."""
        counts, total = self._found.get(value, ([0] * (len(self._edges) + 1), 0.0))
        counts = counts.copy()
        for amount in amounts:
            counts[bisect_left(self._edges, amount)] += 1
            total += amount
        # One object for both, put in one step: a scrape, which writes in another thread, never sees half a batch.
        self._found[value] = (counts, total)

    def describe(self) -> Iterator[HistogramMetricFamily]:
        """The family without observations."""
        yield HistogramMetricFamily(self._name, self._text, labels=[self._label])

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """The family as it is now."""
        family = HistogramMetricFamily(self._name, self._text, labels=[self._label])
        edges = [*map(str, self._edges), "+Inf"]
        for value, (counts, total) in list(self._found.items()):
            family.add_metric([value], list(zip(edges, accumulate(counts), strict=True)), total)
        yield family
