"""Charts of pages: pure functions from figures to places on a drawing; ``ui.figure`` draws them as SVG.

Nothing here knows a language: who calls gives the words of ticks and marks. Sizes are units of the drawing's viewBox.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Final, Literal

from shared.control import Limits, Signal

Format = Callable[[float], str]
Tone = Literal["", "outside", "run", "near", "open"]

WIDTH: Final = 920
LEVELS: Final = 6
"""Shades of a heat map."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of an axis."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A point of a series; ``text`` says it in words."""

    x: float
    y: float
    text: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Control:
    """A control chart: the series, its centre line and the band of what is usual."""

    kind: Literal["control"]
    width: float
    height: float
    left: float
    right: float
    foot: float
    xs: tuple[Tick, ...]
    ys: tuple[Tick, ...]
    lines: tuple[str, ...]
    band: tuple[str, ...]
    bounds: tuple[str, ...]
    centre: float | None
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar with its words below and its figure above."""

    x: float
    y: float
    width: float
    height: float
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Bars:
    """A distribution."""

    kind: Literal["bars"]
    width: float
    height: float
    foot: float
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class HeatCell:
    """A field of a heat map; level 0 is nothing to show."""

    x: float
    y: float
    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Heat:
    """A heat map of rows and columns; ``steps`` are the upper ends of the shades."""

    kind: Literal["heat"]
    width: float
    height: float
    side: float
    tall: float
    left: float
    rows: tuple[Tick, ...]
    columns: tuple[Tick, ...]
    cells: tuple[HeatCell, ...]
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Spark:
    """A series as small as a word; the last point is marked."""

    width: float
    height: float
    lines: tuple[str, ...]
    last: tuple[float, float] | None
    centre: float | None


@dataclass(frozen=True, slots=True)
class Interval:
    """A value and its interval on a scale of ``width``."""

    width: float
    low: float
    high: float
    at: float


def nice(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers that cover ``low`` to ``high``, some ``about`` of them."""
    if high <= low:
        high = low + (abs(low) or 1.0)
    raw = (high - low) / max(1, about - 1)
    step = 10.0 ** floor(log10(raw))
    step *= next(factor for factor in (1, 2, 2.5, 5, 10) if raw <= step * factor * 1.0000001)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return [round(i * step, 10) for i in range(first, last + 1)]


def control(
    values: Sequence[float | None],
    labels: Sequence[str],
    limits: Limits | None,
    found: Sequence[Signal],
    *,
    show: Format,
    least: float | None = 0.0,
    most: float | None = None,
    unfinished: frozenset[int] = frozenset(),
    unit: float = 1.0,
    height: float = 300,
) -> Control:
    """The series on its days; ``unfinished`` places are drawn hollow. Axis labels are thinned to what fits.

    Ticks are round numbers of ``unit``s (60: whole minutes of a value in seconds).
    """
    left, right, top, foot = 56.0, WIDTH - 12.0, 14.0, height - 30.0
    drawn = [v for v in values if v is not None]
    spans = [each for each in limits.bounds if each is not None] if limits is not None else []
    low = min([*drawn, *(b[0] for b in spans)], default=0.0)
    high = max([*drawn, *(b[1] for b in spans)], default=1.0)
    if least is not None and low - least < (high - low):
        low = least
    ticks = [tick * unit for tick in nice(low / unit, high / unit)]
    if most is not None and ticks[-1] > most:
        ticks = [t for t in ticks if t <= most + 1e-9]
        high = most
    low, high = ticks[0], max(ticks[-1], high)

    step = (right - left) / max(1, len(values))

    def x(i: float) -> float:
        return round(left + (i + 0.5) * step, 1)

    def y(value: float) -> float:
        return round(foot - (value - low) / (high - low) * (foot - top), 1)

    tones: dict[int, Tone] = {}
    for rule in ("near", "run", "outside"):
        for each in found:
            if each.rule == rule:
                tones |= dict.fromkeys(range(each.first, each.last + 1), each.rule)
    every = max(1, ceil(len(values) / 12))
    band, bounds = _band(limits, x, y) if limits is not None else ((), ())
    return Control(
        "control", WIDTH, height, left, right, foot,
        tuple(Tick(x(i), text) for i, text in enumerate(labels) if i % every == 0),
        tuple(Tick(y(t), show(t)) for t in ticks),
        _lines(values, x, y), band, bounds,
        None if limits is None else y(limits.centre),
        tuple(
            Mark(x(i), y(v), f"{labels[i]}: {show(v)}", "open" if i in unfinished else tones.get(i, ""))
            for i, v in enumerate(values)
            if v is not None
        ),
    )  # fmt: skip


def _lines(
    values: Sequence[float | None], x: Format | Callable[[float], float], y: Callable[[float], float]
) -> tuple[str, ...]:
    """Polylines of the points that follow each other without a gap."""
    parts: list[list[str]] = [[]]
    for i, value in enumerate(values):
        if value is None:
            parts.append([])
        else:
            parts[-1].append(f"{x(i)},{y(value)}")
    return tuple(" ".join(part) for part in parts if len(part) > 1)


def _band(
    limits: Limits, x: Callable[[float], float], y: Callable[[float], float]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The area between the limits and its two edges, as steps: each point has limits of its own."""
    runs: list[list[tuple[int, float, float]]] = [[]]
    for i, each in enumerate(limits.bounds):
        if each is None:
            runs.append([])
        else:
            runs[-1].append((i, *each))
    areas, edges = [], []
    for run in runs:
        if not run:
            continue
        sides = [
            [f"{x(i + side)},{y(bound[edge])}" for bound in run for i, side in ((bound[0], -0.5), (bound[0], 0.5))]
            for edge in (2, 1)
        ]
        areas.append(" ".join([*sides[0], *reversed(sides[1])]))
        edges += [" ".join(side) for side in sides]
    return tuple(areas), tuple(edges)


def bars(counts: Sequence[tuple[str, int]], *, show: Format, height: float = 220) -> Bars:
    """Counts in their order; the figure above each bar is its share."""
    left, right, top, foot = 8.0, WIDTH - 8.0, 26.0, height - 30.0
    whole = sum(count for _, count in counts)
    most = max((count for _, count in counts), default=0) or 1
    step = (right - left) / max(1, len(counts))
    drawn = []
    for i, (label, count) in enumerate(counts):
        tall = round(count / most * (foot - top), 1)
        share = show(count / whole) if whole else ""
        drawn.append(Bar(round(left + i * step + 2, 1), round(foot - tall, 1), round(step - 4, 1), tall, label, share))
    return Bars("bars", WIDTH, height, foot, tuple(drawn))


def heat(
    values: Sequence[Sequence[float | None]],
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    show: Format,
    every: int = 2,
) -> Heat:
    """Rows of fields, shaded in equal steps from the least to the greatest; None stays empty."""
    left, head, tall = 56.0, 24.0, 26.0
    side = round(min(44.0, (WIDTH - left) / max(1, len(columns))), 2)
    known = [v for row in values for v in row if v is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    width = (high - low) / LEVELS

    def level(value: float | None) -> int:
        if value is None:
            return 0
        return LEVELS if not width and value else (1 if not width else min(LEVELS, 1 + int((value - low) / width)))

    cells = tuple(
        HeatCell(
            round(left + j * side, 1), round(head + i * tall, 1), level(value),
            f"{rows[i]} {columns[j]}: {show(value)}" if value is not None else "",
        )
        for i, row in enumerate(values)
        for j, value in enumerate(row)
    )  # fmt: skip
    return Heat(
        "heat", round(left + side * len(columns), 1), head + tall * len(rows), side, tall, left,
        tuple(Tick(round(head + i * tall + tall / 2 + 5, 1), text) for i, text in enumerate(rows)),
        tuple(Tick(round(left + j * side, 1), text) for j, text in enumerate(columns) if j % every == 0),
        cells,
        tuple(show(low + width * (i + 1)) for i in range(LEVELS)) if known and width else (),
    )  # fmt: skip


def spark(
    values: Sequence[float | None], *, centre: float | None = None, width: float = 220, height: float = 44
) -> Spark:
    """The series without axes."""
    known = [v for v in values if v is not None]
    if not known:
        return Spark(width, height, (), None, None)
    reach = [*known, *([centre] if centre is not None else [])]
    low, high = min(reach), max(reach)
    span = high - low or 1.0

    def x(i: float) -> float:
        return round(4 + i * (width - 8) / max(1, len(values) - 1), 1)

    def y(value: float) -> float:
        return round(height - 5 - (value - low) / span * (height - 10), 1) if high > low else height / 2

    last = next(i for i in reversed(range(len(values))) if values[i] is not None)
    return Spark(
        width, height, _lines(values, x, y), (x(last), y(values[last] or 0.0)), None if centre is None else y(centre)
    )


def intervals(rows: Sequence[tuple[float, float, float] | None], *, width: float = 140) -> list[Interval | None]:
    """(low, value, high) of several rows on one scale."""
    known = [row for row in rows if row is not None]
    low, high = min((row[0] for row in known), default=0.0), max((row[2] for row in known), default=1.0)
    span = high - low or 1.0

    def at(value: float) -> float:
        return round(4 + (value - low) / span * (width - 8), 1)

    return [None if row is None else Interval(width, at(row[0]), at(row[2]), at(row[1])) for row in rows]
