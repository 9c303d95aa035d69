"""Arithmetic that several services share, so that one figure is never computed in two ways."""

from datetime import datetime, timedelta
from math import sqrt
from typing import Final

Z95: Final = 1.959963984540054
"""Two-sided 95 % point of the normal distribution."""


def whole_seconds(start: datetime, end: datetime) -> int:
    """Seconds from ``start`` to ``end``, rounded half up; negative where ``end`` is the earlier."""
    return (end - start + timedelta(microseconds=500_000)) // timedelta(seconds=1)


def wilson(part: float, whole: float, n: float | None = None) -> tuple[float, float] | None:
    """The 95 % Wilson score interval of the share ``part / whole``, as shares; None if ``whole`` is 0.

    ``n`` is the number of independent observations where it is not ``whole``: answers of one customer count once.
    9 of 10 gives 0.596 to 0.982. Source: Wilson, JASA 22 (1927); without continuity correction.
    """
    if whole <= 0:
        return None
    n = whole if n is None else n
    if n <= 0:
        return None
    share = part / whole
    square = Z95 * Z95 / n
    centre = (share + square / 2) / (1 + square)
    half = Z95 * sqrt(share * (1 - share) / n + square / (4 * n)) / (1 + square)
    return max(0.0, centre - half), min(1.0, centre + half)
