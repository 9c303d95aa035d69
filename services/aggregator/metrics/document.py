"""``docs/metrics.md``, written from the definitions, and the parts of a metric that are shown to people."""

import inspect
from collections.abc import Iterator
from typing import Final

from services.aggregator.metrics.definitions import METRICS
from services.aggregator.metrics.registry import Direction, Kind, Metric

UNITS: Final[dict[Kind, str]] = {"count": "1", "duration": "s", "ratio": "1", "service_level": "1"}
"""The unit of measure (UCUM) of each kind's value."""

_KINDS: Final[dict[Kind, str]] = {
    "count": "a count (计数)",
    "duration": "a duration in seconds (时长)",
    "ratio": "a share (比率)",
    "service_level": "a share within a limit (达标率)",
}
_DIRECTIONS: Final[dict[Direction, str]] = {
    "up": "more is better (越高越好)",
    "down": "less is better (越低越好)",
    "neutral": "neither by itself (中性)",
}
_INTRODUCTION: Final = """\
# Metrics (指标)

This file is written from `services/aggregator/metrics/definitions.py`; change it there.

Every figure is a sum of contributions of facts, one fact a visit or an invitation, so a correction or a late answer
changes the day it belongs to. Shares are sums of numerators over sums of denominators, never averages of shares, and
come with n and a 95 % Wilson interval. Quantiles of durations are exact to the second up to one minute and to the
bucket's width above. A figure of a unit is that of all branches below it. Ask with
`GET /aggregator/v1/metrics/{id}?unit=&from=&to=&by=day|month|total`.
"""


def definition(metric: Metric) -> str:
    """The metric's definition as plain text."""
    return inspect.cleandoc(metric.description)


def render_metrics() -> str:
    """The whole document, the metrics in the order of their definition."""
    lines = [_INTRODUCTION, "| Id | Title | 名称 | Version |", "|---|---|---|---|"]
    lines += [
        f"| [`{each.id}`](#{each.id.replace('.', '')}) | {each.title_en} | {each.title_zh} | {each.version} |"
        for each in METRICS.values()
    ]
    for each in METRICS.values():
        lines += ["", *_section(each)]
    return "\n".join(lines) + "\n"


def _section(metric: Metric) -> Iterator[str]:
    yield f"## {metric.id}"
    yield ""
    yield f"**{metric.title_en} ({metric.title_zh})**, version {metric.version}: {_KINDS[metric.kind]}; " + (
        f"{_DIRECTIONS[metric.direction]}."
    )
    yield ""
    for line in definition(metric).splitlines():
        # Two spaces end a line, so that the definition keeps its own.
        yield f"{line}  " if line else ""
