"""Metrics (指标)."""

from typing import Literal, NotRequired, TypedDict

By = Literal["day", "month", "total"]

Point = TypedDict(
    "Point",
    {
        "from": str,
        "to": str,
        "n": int,
        "numerator": float | None,
        "denominator": float | None,
        "value": float | None,
        "low": float | None,
        "high": float | None,
        "p50": float | None,
        "p90": float | None,
        "p95": float | None,
        "incomplete": bool,
    },
)
Point.__doc__ = "One period of a series; durations in seconds; `incomplete` while events lag or are parked."


class Series(TypedDict):
    """A metric of one unit, which may be any node of the tree."""

    metric: str
    unit: str
    points: list[Point]


class Metric(TypedDict):
    """A metric that can be asked for."""

    id: str
    version: NotRequired[int]
