"""Durations as counts in fixed buckets: they add, they subtract, and they answer quantiles and "within T".

Edges, in whole seconds: every second to 1 min, 5 s to 5 min, 15 s to 15 min, 30 s to 30 min, 1 min to 1 h, 5 min to
4 h, 30 min to 24 h, then one bucket for all above. An upper edge belongs to its bucket: bucket ``i`` holds
``EDGES[i-1] < seconds <= EDGES[i]``, bucket 0 holds 0. A figure is therefore exact to the second up to one minute, and
off by less than the bucket's width above (at most 8.4 % of the value up to 4 h).
"""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

STEPS: Final = ((60, 1), (300, 5), (900, 15), (1_800, 30), (3_600, 60), (14_400, 300), (86_400, 1_800))
"""(last edge, width) of the runs of buckets of one width."""


def _edges() -> tuple[int, ...]:
    edges = [0]
    for last, step in STEPS:
        edges.extend(range(edges[-1] + step, last + 1, step))
    return tuple(edges)


EDGES: Final = _edges()
"""Upper edges of the buckets but the last."""
OVERFLOW: Final = len(EDGES)
"""The bucket of everything above 24 h."""
BEYOND: Final = EDGES[-1] + 1
"""The second under which everything above 24 h is kept where seconds are kept one by one."""

Histogram = Mapping[int, int]
"""Bucket to count; a bucket that is absent is empty, and no count is negative."""


def bucket_of(seconds: int) -> int:
    """The bucket of a duration. Raises ValueError for a negative one."""
    if seconds < 0:
        raise ValueError("a duration is not negative")
    return seconds if seconds <= 60 else bisect_left(EDGES, seconds)


def bounds(bucket: int) -> tuple[int, int | None]:
    """Least and greatest whole second of a bucket; the overflow has no greatest."""
    least = EDGES[bucket - 1] + 1 if bucket else 0
    return least, None if bucket == OVERFLOW else EDGES[bucket]


def quantile(histogram: Histogram, percent: int) -> int | None:
    """The ``percent`` quantile in seconds, None if there is nothing.

    It is the order statistic of rank ``ceil(percent / 100 * n)``, the smallest value that at least that share does not
    exceed. Inside a bucket the values are taken to be spread evenly up to the upper edge, so the answer always lies in
    the bucket of the true one. In the overflow it is the least second there: "more than a day".
    """
    rank = -(-percent * sum(histogram.values()) // 100)
    below = 0
    for bucket in sorted(histogram):
        inside = histogram[bucket]
        if inside and below + inside >= rank:
            least, greatest = bounds(bucket)
            if greatest is None:
                return least
            width = greatest - least + 1
            return least - 1 - (-width * max(rank - below, 1) // inside)
        below += inside
    return None


@dataclass(frozen=True, slots=True)
class AtMost:
    """How many durations are at most T: ``count``, plus those of ``partial`` that are (None: ``count`` is exact)."""

    count: int
    partial: int | None


def count_at_most(histogram: Histogram, within: int) -> AtMost:
    """Durations of at most ``within`` seconds. Exact on an edge; else the bucket to look up in the facts is named."""
    partial = partial_bucket(within)
    last = bucket_of(within) if partial is None else partial - 1
    count = sum(inside for bucket, inside in histogram.items() if bucket <= last)
    return AtMost(count, partial if partial is not None and histogram.get(partial) else None)


def partial_bucket(within: int) -> int | None:
    """The bucket that ``within`` cuts in two; None where it is an edge."""
    bucket = bucket_of(within)
    return None if bucket < OVERFLOW and EDGES[bucket] == within else bucket
