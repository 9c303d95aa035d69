"""Routes of metrics."""

from dataclasses import fields
from typing import Annotated, Any, Final

from fastapi import Query

from services.aggregator.auth import ReadMetrics
from services.aggregator.figures import service as figures
from services.aggregator.metrics import service
from services.aggregator.metrics.answers import DEFAULT_WITHIN, By, Point
from services.aggregator.metrics.definitions import METRICS
from services.aggregator.metrics.document import UNITS, definition
from services.aggregator.metrics.registry import Metric
from services.aggregator.metrics.schemas import MetricPoint, MetricSeries, MetricView, Titles
from services.aggregator.metrics.service import Question
from services.aggregator.metrics.span import FromDay, ToDay, span
from shared.db.uow import Reads
from shared.directory import replica
from shared.web.fields import PathId, QueryUnit
from shared.web.paging import Page, Paging, page
from shared.web.problems import InvalidField, NotFound
from shared.web.routing import ServiceRouter

router = ServiceRouter("aggregator", "metrics")

Within = Annotated[
    int | None,
    Query(ge=1, le=86_400, description=f"The limit of wait.service_level in seconds, {DEFAULT_WITHIN} unless given"),
]


@router.get("/metrics")
async def list_metrics(reads: Reads, actor: ReadMetrics, paging: Paging) -> Page[MetricView]:
    """The metrics (指标目录) with their definitions."""
    known = sorted((each for each in METRICS.values() if each.id > paging.after), key=lambda each: each.id)
    return Page[MetricView](**page(paging, known, lambda each: each.id, _view))


@router.get("/metrics/{metric}")
async def show_metric(
    reads: Reads,
    actor: ReadMetrics,
    metric: PathId,
    unit: QueryUnit,
    first: FromDay = None,
    last: ToDay = None,
    by: By = "day",
    within: Within = None,
) -> MetricSeries:
    """The figures of a unit and all below it, by business day, by month or as one total (指标查询)."""
    known = METRICS.get(metric)
    if known is None:
        raise NotFound(pointer="/path/metric")
    if within is not None and known.kind != "service_level":
        raise InvalidField(
            "/query/within", "not_applicable", f"{metric} has no limit", f"{known.title_zh} 没有时限参数"
        )
    place = await replica.branch(reads, actor, unit)
    start, end = span(first, last, place.business_date(reads.now))
    leaf = await service.is_leaf(reads, place)
    asked = Question(known, place, start, end, by, leaf, within or DEFAULT_WITHIN)
    return MetricSeries(metric=metric, unit=unit, points=[_shown(each) for each in await figures.points(reads, asked)])


_MEMBERS: Final = tuple(field.name for field in fields(Point))


def _shown(each: Point) -> MetricPoint:
    # The values are ours and of the declared types: validating thousands of points again would only cost time.
    values: dict[str, Any] = {name: getattr(each, name) for name in _MEMBERS}
    return MetricPoint.model_construct(None, **values)


def _view(metric: Metric) -> MetricView:
    return MetricView(
        id=metric.id,
        version=metric.version,
        kind=metric.kind,
        titles=Titles(zh=metric.title_zh, en=metric.title_en),
        direction=metric.direction,
        unit_of_measure=UNITS[metric.kind],
        definition=definition(metric),
    )
