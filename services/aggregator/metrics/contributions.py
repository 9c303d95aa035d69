"""From facts to additions to cells."""

from collections.abc import Iterable
from typing import Any, Final

from services.aggregator.metrics.definitions import METRICS
from services.aggregator.metrics.registry import Measure
from services.aggregator.metrics.values import Contribution, Fact, ResponseFact, VisitFact


def _measures_of(kind: type) -> tuple[tuple[str, Measure], ...]:
    return tuple((each.id, each.measures[kind]) for each in METRICS.values() if kind in each.measures)


_MEASURES: Final = {kind: _measures_of(kind) for kind in (VisitFact, ResponseFact)}


def contributions(facts: Iterable[Fact], gone: Iterable[Fact] = ()) -> list[Contribution]:
    """What ``facts`` add to the cells, less what those that are ``gone`` had added: merged by cell, without zeros.

    A pure function of the facts; one of them adds at most once to a metric.
    """
    sums: dict[tuple[Any, ...], list[int]] = {}
    for sign, some in ((1, facts), (-1, gone)):
        for fact in some:
            day, unit, service, ticket_class = fact.business_date, fact.unit, fact.service, fact.ticket_class
            for metric, measure in _MEASURES[type(fact)]:
                amount = measure(fact)
                if amount is None:
                    continue
                n, numerator, denominator, bucket = amount
                total = sums.get(key := (metric, day, unit, service, ticket_class, bucket))
                if total is None:
                    sums[key] = [sign * n, sign * numerator, sign * denominator]
                else:
                    total[0] += sign * n
                    total[1] += sign * numerator
                    total[2] += sign * denominator
    return [Contribution(*key, *total) for key, total in sums.items() if any(total)]


def lifted(changes: Iterable[Contribution]) -> list[Contribution]:
    """Merged changes summed over services and classes, for the units above; zeros dropped."""
    sums: dict[tuple[Any, ...], list[int]] = {}
    for metric, day, unit, _, _, bucket, n, numerator, denominator in changes:
        total = sums.get(key := (metric, day, unit, "", "", bucket))
        if total is None:
            sums[key] = [n, numerator, denominator]
        else:
            total[0] += n
            total[1] += numerator
            total[2] += denominator
    return [Contribution(*key, *total) for key, total in sums.items() if any(total)]
