"""Events: what waits in the outbox, what was sent, how far readers are behind, what was handled, parked and buried."""

from collections.abc import Iterable
from typing import TypeVar, cast

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from shared.observability.batch_histogram import BatchHistogram

Family = TypeVar("Family", Counter, Gauge, Histogram)

HANDLER_BUCKETS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0)
DELAY_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 3600.0, 86400.0)


class EventMetrics:
    """What relays and consumers report; children of a label set are bound once and kept."""

    def __init__(self, registry: CollectorRegistry) -> None:
        service = ["service"]

        def counter(name: str, text: str, labels: list[str] = service) -> Counter:
            return Counter(f"wangdian_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, labels: list[str] = service) -> Gauge:
            return Gauge(f"wangdian_{name}", text, labels, registry=registry)

        self._waiting = gauge("outbox_unpublished", "Events committed and not yet on the bus")
        self._oldest = gauge("outbox_oldest_seconds", "Age of the oldest unpublished event")
        self._batches = counter("relay_batches", "Batches the relay sent")
        self._sent = counter("relay_events", "Events that reached the bus")
        self._failed = counter("relay_errors", "Events the bus did not take; they are sent again")
        self._lag = gauge("consumer_lag", "Records not yet consumed", ["service", "topic", "partition"])
        self._handled = counter("events_handled", "Events given to handlers")
        self._skipped = counter("events_skipped", "Events of types nobody subscribed to")
        self._dead = counter("events_dead", "Events that could not be read")
        self._parked = counter("events_parked", "Times that a subject was parked")
        self._parked_now = gauge("events_parked_subjects", "Subjects parked now")
        self._dead_now = gauge("events_dead_letters", "Events that could not be read and wait for a person")
        self._stopped = gauge("consumer_stopped", "1 while the consumer stands still because its log was changed")
        self._failing = gauge("loop_failing", "1 while the loop's turns fail by a fault of ours", ["service", "loop"])
        self._handler = Histogram(
            "wangdian_handler_seconds",
            "One call of a handler, a batch for projections",
            ["service", "handler"],
            buckets=HANDLER_BUCKETS,
            registry=registry,
        )
        self._delay = BatchHistogram(
            "wangdian_event_delay_seconds",
            "From the producer's commit to the effect here, of live events",
            "service",
            buckets=DELAY_BUCKETS,
            registry=registry,
        )
        self._bound: dict[tuple[object, tuple[str, ...]], object] = {}

    def declare(self, service: str) -> None:
        """Show the counters of ``service`` at zero from the start, so that a first increase is an increase."""
        for family in (self._batches, self._sent, self._failed, self._handled, self._skipped, self._dead, self._parked):
            self._child(family, service)

    def backlog(self, service: str, waiting: int, oldest_seconds: float) -> None:
        """What the outbox holds, and the age in seconds of its oldest event (0 when empty)."""
        self._child(self._waiting, service).set(waiting)
        self._child(self._oldest, service).set(max(0.0, oldest_seconds))

    def relayed(self, service: str, sent: int, failed: int) -> None:
        """One batch of the relay."""
        self._child(self._batches, service).inc()
        self._child(self._sent, service).inc(sent)
        self._child(self._failed, service).inc(failed)

    def lag(self, service: str, topic: str, partition: int, records: int) -> None:
        """How many records of a partition are still to be consumed."""
        self._child(self._lag, service, topic, str(partition)).set(max(0, records))

    def consumed(self, service: str, *, handled: int, skipped: int) -> None:
        """One batch of the consumer."""
        self._child(self._handled, service).inc(handled)
        self._child(self._skipped, service).inc(skipped)

    def dead(self, service: str) -> None:
        """An event that could not be read went to the dead letters."""
        self._child(self._dead, service).inc()

    def parked(self, service: str) -> None:
        """A subject was parked."""
        self._child(self._parked, service).inc()

    def waiting_now(self, service: str, subjects: int, dead: int) -> None:
        """How many subjects are parked, and how many unreadable events nobody has decided on."""
        self._child(self._parked_now, service).set(subjects)
        self._child(self._dead_now, service).set(dead)

    def stopped(self, service: str, *, stopped: bool) -> None:
        """Whether the consumer stands still."""
        self._child(self._stopped, service).set(stopped)

    def failing(self, service: str, loop: str, *, failing: bool) -> None:
        """Whether the loop's last turn failed."""
        self._child(self._failing, service, loop).set(failing)

    def handler_took(self, service: str, handler: str, seconds: float) -> None:
        """How long one call of a handler took."""
        self._child(self._handler, service, handler).observe(seconds)

    def delayed(self, service: str, seconds: Iterable[float]) -> None:
        """How old live events were (now less ``recordedtime``) when they had their effects."""
        self._delay.observe(service, (max(0.0, each) for each in seconds))

    def _child(self, family: Family, *labels: str) -> Family:
        key = (family, labels)
        child = self._bound.get(key)
        if child is None:
            child = self._bound[key] = family.labels(*labels)
        return cast(Family, child)
