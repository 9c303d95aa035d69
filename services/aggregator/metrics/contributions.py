"""From facts to additions to cells."""

from collections.abc import Iterable
from typing import Any, Final

from services.aggregator.metrics.definitions import METRICS
from services.aggregator.metrics.registry import Measure
from services.aggregator.metrics.values import Contribution, Fact, ResponseFact, VisitFact


def _measures_of(kind: type) -> tuple[tuple[str, Measure], ...]:
    return tuple((each.id, each.measures[kind]) for each in METRICS.values() if kind in each.measures)


_MEASURES: Final = {kind: _measures_of(kind) for kind in (VisitFact, ResponseFact)}


def contributions(fact: Fact) -> list[Contribution]:
    """All that ``fact`` adds, at most one contribution a metric; a pure function of the fact."""
    day, unit, service, ticket_class = fact.business_date, fact.unit, fact.service, fact.ticket_class
    added = []
    for metric, measure in _MEASURES[type(fact)]:
        amount = measure(fact)
        if amount is not None:
            n, numerator, denominator, bucket = amount
            added.append(Contribution(metric, day, unit, service, ticket_class, bucket, n, numerator, denominator))
    return added


def diff(old: Fact | None, new: Fact | None) -> list[Contribution]:
    """What must be added to the cells when ``old`` becomes ``new``: contributions(new) - contributions(old).

    Merged by cell, without zeros. None: there was no fact yet, or it is gone.
    """
    before = [] if old is None else contributions(old)
    after = [] if new is None else contributions(new)
    if not before:
        return after  # one a metric already, and none of zeros
    same = set(before).intersection(after)
    return merge([each for each in after if each not in same], [each for each in before if each not in same])


def merge(added: Iterable[Contribution], removed: Iterable[Contribution] = ()) -> list[Contribution]:
    """Contributions to the same cell summed, ``removed`` ones subtracted, zeros dropped; for one write a cell."""
    sums: dict[tuple[Any, ...], list[int]] = {}
    for sign, changes in ((1, added), (-1, removed)):
        for each in changes:
            total = sums.get(key := each[:6])
            if total is None:
                total = sums[key] = [0, 0, 0]
            total[0] += sign * each[6]
            total[1] += sign * each[7]
            total[2] += sign * each[8]
    return [Contribution._make((*key, *total)) for key, total in sums.items() if any(total)]


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
    return [Contribution._make((*key, *total)) for key, total in sums.items() if any(total)]
