"""Figures as tables of a file: seconds and shares as the API gives them, with what they are and up to when."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from services.aggregator.figures.chinese import DEFINITIONS
from services.aggregator.figures.service import Child
from services.aggregator.metrics.answers import Point
from services.aggregator.metrics.document import UNITS, definition
from services.aggregator.metrics.service import Question
from shared.web.exports import Cell, Sheet

FILES: Final = frozenset({"series.csv", "units.csv", "book.xlsx"})
_FIGURES: Final = ("n", "numerator", "denominator", "value", "low", "high", "p50", "p90", "p95", "incomplete")
_WHAT: Final = ("metric", "metric_version", "unit", "from", "to")
_CUT: Final = "data_as_of"


def sheets(asked: Question, cut: datetime, series: Sequence[Point], below: Sequence[Child]) -> list[Sheet]:
    """The series, and the units right below; each row says all that it is about, so that rows of files can be joined.

    Quantiles of a unit below are left empty: their buckets are not read.
    """
    heads = [*_WHAT, *_FIGURES, _CUT]
    return [
        Sheet("series", heads, [_row(asked, asked.unit.id, cut, each, _FIGURES) for each in series]),
        Sheet("units", heads, [_row(asked, each.unit, cut, each.point, _FIGURES, quantiles=False) for each in below]),
    ]


def _row(
    asked: Question, unit: str, cut: datetime, point: Point, members: Sequence[str], *, quantiles: bool = True
) -> list[Cell]:
    figures: list[Any] = [
        None if name in ("p50", "p90", "p95") and not quantiles else getattr(point, name) for name in members
    ]
    return [asked.metric.id, asked.metric.version, unit, point.first, point.last, *figures, cut.isoformat()]


def about(asked: Question, cut: datetime, language: str, made: Sequence[Sheet]) -> dict[str, Cell]:
    """What the workbook says of itself."""
    metric = asked.metric
    chinese = DEFINITIONS[metric.id]
    text = "\n".join(chinese[1:]) if language == "zh" else definition(metric)
    return {
        "metric": metric.id,
        "title": metric.title_zh if language == "zh" else metric.title_en,
        "version": metric.version,
        "unit_of_measure": UNITS[metric.kind],
        "unit": asked.unit.id,
        "from": asked.first,
        "to": asked.last,
        "within_seconds": asked.within if metric.kind == "service_level" else None,
        _CUT: cut.isoformat(),
        **{f"rows_{sheet.name}": len(sheet.rows) for sheet in made},
        "definition": text,
    }
