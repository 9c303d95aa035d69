"""The whole bank's sums, by day and over all days, made from the same contributions as the cells."""

from collections.abc import Iterable
from datetime import date
from typing import Final

from services.aggregator.metrics.answers import DEFAULT_WITHIN
from services.aggregator.metrics.definitions import LEVELS
from services.aggregator.metrics.values import Contribution

ALL_DAYS: Final = date.min
"""The day of the row that sums all days."""

STRIPES: Final = 8

Sums = dict[tuple[date, str], list[int]]
"""(day, metric) to n, numerator and denominator."""


def rollup(changes: Iterable[Contribution]) -> Sums:
    """The sums of ``changes`` over units, services, classes and buckets; a service level is that of the default limit.

    INVARIANT: linear, so that the sums of the changes are the changes of the sums (proven by
    test_rollups_are_the_sums_of_the_cells).
    """
    sums: Sums = {}
    for each in changes:
        n, numerator, denominator = each.n, each.numerator, each.denominator
        if each.metric in LEVELS:
            within = each.bucket is not None and each.bucket <= DEFAULT_WITHIN
            # Who left within the limit is in neither; who was served later is in the denominator alone.
            n = denominator = numerator if within else denominator
            numerator = numerator if within else 0
        for day in (each.day, ALL_DAYS):
            total = sums.setdefault((day, each.metric), [0, 0, 0])
            total[0] += n
            total[1] += numerator
            total[2] += denominator
    return sums
