"""Control charts (控制图): limits that say what is usual, and signals that say what is not.

Sources: Wheeler, Understanding Variation (XmR); Montgomery, Introduction to Statistical Quality Control (p, u);
Benneyan 2001 (g). Values may be None where nothing was measured; such a place has no part in anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import Final, Literal

ChartKind = Literal["xmr", "p", "u", "g"]
Rule = Literal["outside", "run", "near"]

ENOUGH: Final = 20
"""Points of a baseline that may be relied on; limits of fewer are provisional."""
LEAST: Final = 8
"""Fewer points make no limits at all."""
RUN: Final = 7
_XMR: Final = 2.66


@dataclass(frozen=True, slots=True)
class Limits:
    """The centre line, and the limits of each point (None where a point has no value)."""

    kind: ChartKind
    centre: float
    bounds: tuple[tuple[float, float] | None, ...]
    points: int
    """How many points the limits were computed from."""
    spread: float = 1.0
    """How many times wider than chance alone the limits of p and u are, as the periods differ among themselves."""

    @property
    def provisional(self) -> bool:
        """Whether the baseline is short."""
        return self.points < ENOUGH


@dataclass(frozen=True, slots=True)
class Signal:
    """What is not chance: ``outside`` a limit, a ``run`` on one side of the centre, three of four ``near`` a limit.

    ``first`` and ``last`` are places in the series.
    """

    rule: Rule
    first: int
    last: int
    above: bool


def xmr(
    values: Sequence[float | None], base: Sequence[bool] | None = None, *, floor: float | None = 0.0
) -> Limits | None:
    """Individual values: mean ± 2.66 × mean moving range of the baseline; no lower limit under ``floor``."""
    kept = [value for value, use in zip(values, _base(values, base), strict=True) if use and value is not None]
    if len(kept) < LEAST:
        return None
    centre = sum(kept) / len(kept)
    reach = _XMR * sum(abs(b - a) for a, b in pairwise(kept)) / (len(kept) - 1)
    low = centre - reach if floor is None else max(floor, centre - reach)
    return Limits("xmr", centre, tuple(None if v is None else (low, centre + reach) for v in values), len(kept))


def p(
    parts: Sequence[tuple[float, float] | None], base: Sequence[bool] | None = None, n: Sequence[int] | None = None
) -> Limits | None:
    """Shares ``part / whole``: p ± 3 s √(p (1 − p) / n), cut to 0 … 1; s as :func:`_spread` says.

    ``n`` are the independent observations where they are not the whole.
    """
    return _rate("p", parts, base, n)


def u(events: Sequence[tuple[float, float] | None], base: Sequence[bool] | None = None) -> Limits | None:
    """Events for each of so many chances, ``events / chances``: u ± 3 s √(u / chances), never under 0."""
    return _rate("u", events, base, None)


def g(gaps: Sequence[float | None], base: Sequence[bool] | None = None) -> Limits | None:
    """Days without between two days with a rare event: mean ± 3 √(mean (mean + 1)), never under 0."""
    kept = [gap for gap, use in zip(gaps, _base(gaps, base), strict=True) if use and gap is not None]
    if len(kept) < LEAST:
        return None
    centre = sum(kept) / len(kept)
    reach = 3 * sqrt(centre * (centre + 1))
    return Limits("g", centre, tuple(None if gap is None else _around(centre, reach) for gap in gaps), len(kept))


def signals(values: Sequence[float | None], limits: Limits) -> list[Signal]:
    """The signals of a series, in their order; a place without a value ends what runs over it."""
    sides = [_side(value, limits.centre) for value in values]
    found = [
        Signal("outside", i, i, value > bounds[1])
        for i, (value, bounds) in enumerate(zip(values, limits.bounds, strict=True))
        if value is not None and bounds is not None and not bounds[0] <= value <= bounds[1]
    ]
    if limits.kind != "g":  # its distribution leans so far that half of all points are no guide
        found += _runs(sides) + _near(values, sides, limits)
    return sorted(found, key=lambda each: (each.first, each.last, each.rule))


def _base(values: Sequence[object], base: Sequence[bool] | None) -> Sequence[bool]:
    return [True] * len(values) if base is None else base


def _rate(
    kind: Literal["p", "u"],
    pairs: Sequence[tuple[float, float] | None],
    base: Sequence[bool] | None,
    n: Sequence[int] | None,
) -> Limits | None:
    sizes = [0.0 if pair is None else float(pair[1] if n is None else n[i]) for i, pair in enumerate(pairs)]
    use = [asked and size > 0 for asked, size in zip(_base(pairs, base), sizes, strict=True)]
    kept = [(*pair, size) for pair, size, yes in zip(pairs, sizes, use, strict=True) if yes and pair]
    if len(kept) < LEAST:
        return None
    centre = sum(part for part, _, _ in kept) / sum(whole for _, whole, _ in kept)
    variance = max(0.0, centre * (1 - centre) if kind == "p" else centre)
    scores = [(part / whole - centre) / sqrt(variance / size) for part, whole, size in kept] if variance else []
    spread = _spread(scores)

    def bounds(size: float) -> tuple[float, float] | None:
        if not size:
            return None
        low, high = _around(centre, 3 * spread * sqrt(variance / size))
        return low, min(1.0, high) if kind == "p" else high

    return Limits(kind, centre, tuple(bounds(size) for size in sizes), len(kept), spread)


def _spread(scores: Sequence[float]) -> float:
    """Laney's factor: the mean moving range of the standardised points / 1.128, never under 1.

    With thousands of customers a day, days differ by more than chance between customers, and plain limits would call
    every day a signal. Source: Laney, Improved control charts for attributes, Quality Engineering 14 (2002).
    """
    if not scores:
        return 1.0
    return max(1.0, sum(abs(b - a) for a, b in pairwise(scores)) / (len(scores) - 1) / 1.128)


def _around(centre: float, reach: float) -> tuple[float, float]:
    return max(0.0, centre - reach), centre + reach


def _side(value: float | None, centre: float) -> int:
    return 0 if value is None or value == centre else (1 if value > centre else -1)


def _runs(sides: Sequence[int]) -> list[Signal]:
    found: list[Signal] = []
    start = 0
    for i in range(1, len(sides) + 1):
        if i < len(sides) and sides[i] == sides[start]:
            continue
        if sides[start] and i - start >= RUN:
            found.append(Signal("run", start, i - 1, sides[start] > 0))
        start = i
    return found


def _near(values: Sequence[float | None], sides: Sequence[int], limits: Limits) -> list[Signal]:
    """Three of four points in a row nearer to a limit than to the centre, on one side; overlapping ones are one."""
    close = []
    for value, side, bounds in zip(values, sides, limits.bounds, strict=True):
        if value is None or bounds is None or not side or bounds[1] == bounds[0]:
            close.append(0)
            continue
        limit = bounds[1] if side > 0 else bounds[0]
        # A limit that was cut (a share of 1, a count of 0) is near to everything: it says nothing.
        whole = abs(limits.centre - limit) >= abs((bounds[0] if side > 0 else bounds[1]) - limits.centre) - 1e-9
        close.append(side if whole and abs(value - limit) < abs(value - limits.centre) else 0)
    found: list[Signal] = []
    for i in range(len(close) - 3):
        four = close[i : i + 4]
        for side in (1, -1):
            if four.count(side) < 3 or None in values[i : i + 4]:
                continue
            places = [i + j for j in range(4) if four[j] == side]
            last = found[-1] if found else None
            if last is not None and last.above == (side > 0) and places[0] <= last.last:
                found[-1] = Signal("near", last.first, places[-1], side > 0)
            else:
                found.append(Signal("near", places[0], places[-1], side > 0))
    return found
