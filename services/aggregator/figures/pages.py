"""Pages of figures: the wall of a unit and each metric, for any unit that the session may see (指标)."""

import asyncio
from datetime import date
from typing import Annotated, Any

from fastapi import Query, Request
from pydantic import BeforeValidator, Field
from starlette.responses import Response

from services.aggregator.auth import ReadMetrics
from services.aggregator.figures import exports, queries, rules, service, views
from services.aggregator.figures.chinese import DEFINITIONS
from services.aggregator.figures.heat import half_hours
from services.aggregator.metrics import service as metrics
from services.aggregator.metrics.answers import DEFAULT_WITHIN
from services.aggregator.metrics.definitions import METRICS
from services.aggregator.metrics.registry import Metric
from services.aggregator.metrics.service import Question
from services.aggregator.metrics.span import FromDay, ToDay, span
from shared.db.uow import Reads
from shared.directory import replica
from shared.events import positions
from shared.security.access import EVERYWHERE, covers
from shared.security.principal import Principal
from shared.web import charts
from shared.web import exports as files
from shared.web.fields import PathId
from shared.web.i18n import N_, page_language
from shared.web.pages import Page, PageRouter
from shared.web.places import Places
from shared.web.problems import NotFound
from shared.web.render import Screen

READERS = frozenset({"teller", "branch_manager", "head_office", "auditor", "operator"})
router = PageRouter(
    __name__,
    screens=(
        Screen(
            "/aggregator/", N_("Figures"), N_("Waits, visits and satisfaction of every unit, with what is unusual"),
            roles=READERS, order=60,
        ),
    ),
)  # fmt: skip


def _blank(value: Any) -> Any:
    return value or None  # a form sends an empty field as ''


AskedUnit = Annotated[str, Query(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?$")]
AskedFrom = Annotated[FromDay, BeforeValidator(_blank)]
AskedTo = Annotated[ToDay, BeforeValidator(_blank)]
AskedWithin = Annotated[Annotated[int, Field(ge=1, le=86_400)] | None, BeforeValidator(_blank), Query()]


@router.get("/aggregator/")
async def wall(
    request: Request, actor: ReadMetrics, unit: AskedUnit = "", first: AskedFrom = None, last: AskedTo = None
) -> Page:
    """Every metric of a unit at a glance (指标总览)."""

    async def work(reads: Reads) -> dict[str, Any]:
        asked = await _asked(reads, actor, METRICS["visits.opened"], unit, first, last, None)
        today = asked.unit.business_date(reads.now)
        found = await service.wall(reads, asked)
        empty = not any(whole.n for whole, _ in found.values())
        return await _common(reads, asked) | {
            "groups": views.tiles(found, today),
            "empty": empty,
            "incomplete": any(whole.incomplete for whole, _ in found.values()),
            "newest": await service.last_day(reads, asked) if empty else None,
        }

    view = await request.app.state.services["aggregator"].db.read(work)
    return Page("wall.html", **view, **await _named(request, actor, view["asked"]), month_of=rules.month_of)


@router.get("/aggregator/metrics/{metric}")
async def metric(
    request: Request,
    actor: ReadMetrics,
    metric: PathId,
    unit: AskedUnit = "",
    first: AskedFrom = None,
    last: AskedTo = None,
    within: AskedWithin = None,
) -> Page:
    """One metric: control chart, distribution, half hours, the units below, its definition (单项指标)."""
    known = _known(metric)

    async def work(reads: Reads) -> dict[str, Any]:
        asked = await _asked(reads, actor, known, unit, first, last, within)
        today = asked.unit.business_date(reads.now)
        late = await metrics.incomplete(reads)
        whole = (await service.points(reads, asked.over("total"), late))[0]
        series = await service.points(reads, asked, late)
        other = rules.CHANCES.get(known.id)
        chances = await service.points(reads, asked.of(METRICS[other]), late) if other else None
        judged = rules.judge(known, series, chances, today)
        groups = await service.half_hours(reads, asked)
        return await _common(reads, asked) | {
            "whole": views.shown(known, whole),
            "incomplete": whole.incomplete,
            "judged": judged,
            "chart": views.control(known, judged, series),
            "chart_rows": views.control_rows(known, judged, series),
            "signals": views.said(known, judged, series),
            "write": views.written(known, judged),
            "histogram": await service.histogram(reads, asked) if known.kind == "duration" else {},
            "p95": whole.p95,
            "heat": half_hours(known, groups, asked.unit.zone, asked.first, asked.last, asked.within),
            "below": await service.children(reads, asked, late),
        }

    view = await request.app.state.services["aggregator"].db.read(work)
    named = await _named(request, actor, view["asked"])
    below = views.children(known, view.pop("below"), named["children"])
    counts = views.distribution(view.pop("histogram"), view.pop("p95"))
    return Page(
        "metric.html",
        **view,
        **named,
        metric=known,
        name=views.name(known),
        below=below,
        counts=counts,
        bars=charts.bars(counts, show=views.share),
        drawn_heat=lambda days: views.heat(known, view["heat"], days),
        weekdays=views.WEEKDAYS,
        chinese=DEFINITIONS[known.id],
        english=views.english(known),
        guide=[(row, views.GUIDE_ROWS[row]) for row in rules.GUIDE.get(known.id, ())],
        limits_offered=rules.WITHIN if known.kind == "service_level" else (),
        chances=METRICS.get(rules.CHANCES.get(known.id, "")),
        clock=views.clock,
        count=views.count,
    )


@router.get("/aggregator/metrics/{metric}/{file}")
async def download(
    request: Request,
    actor: ReadMetrics,
    metric: PathId,
    file: PathId,
    unit: AskedUnit = "",
    first: AskedFrom = None,
    last: AskedTo = None,
    within: AskedWithin = None,
) -> Response:
    """The figures of a metric as a file: ``series.csv``, ``units.csv`` or ``book.xlsx`` with both (导出)."""
    known = _known(metric)
    if file not in exports.FILES:
        raise NotFound(pointer="/path/file")

    async def work(reads: Reads) -> tuple[Any, ...]:
        asked = await _asked(reads, actor, known, unit, first, last, within)
        cut = await positions.as_of(reads)
        wants = file != "units.csv", file != "series.csv"
        late = await metrics.incomplete(reads)
        series = await service.points(reads, asked, late) if wants[0] else []
        return asked, cut, series, await service.children(reads, asked, late) if wants[1] else []

    asked, cut, series, below = await request.app.state.services["aggregator"].db.read(work)
    stem = f"{known.id}_{asked.unit.id}_{asked.first}_{asked.last}"
    sheets = exports.sheets(asked, cut, series, below)
    if file == "book.xlsx":
        about = exports.about(asked, cut, page_language(request), sheets)
        body = await asyncio.to_thread(files.workbook, sheets, about)
        return files.download(body, files.XLSX, f"{stem}.xlsx", cut=cut, rows=sum(len(each.rows) for each in sheets))
    sheet = sheets[file == "units.csv"]
    body = await asyncio.to_thread(files.csv_bytes, sheet)
    return files.download(body, files.CSV, f"{stem}_{file}", cut=cut, rows=len(sheet.rows))


def _known(metric: str) -> Metric:
    known = METRICS.get(metric)
    if known is None:
        raise NotFound(pointer="/path/metric")
    return known


async def _asked(
    reads: Reads, actor: Principal, known: Metric, unit: str, first: date | None, last: date | None, within: int | None
) -> Question:
    """The question; without a unit, about the topmost one that the caller sees."""
    if not unit:
        own = next((each for each in actor.units if each != EVERYWHERE), None)
        unit = own or str(await reads.scalar(queries.TOP) or "")
    place = await replica.branch(reads, actor, unit)
    start, end = span(first, last, place.business_date(reads.now))
    leaf = await metrics.is_leaf(reads, place)
    limit = within if known.kind == "service_level" and within is not None else DEFAULT_WITHIN
    return Question(known, place, start, end, rules.by_of(start, end), leaf, limit)


async def _common(reads: Reads, asked: Question) -> dict[str, Any]:
    today = asked.unit.business_date(reads.now)
    return {
        "asked": asked,
        "today": today,
        "as_of": await positions.as_of(reads),
        "presets": [(views.PRESETS[key], *days) for key, days in rules.presets(today).items()],
        "kinds": await reads.all(queries.CHILDREN, unit=asked.unit.id, most=service.MOST_CHILDREN),
    }


async def _named(request: Request, actor: Principal, asked: Question) -> dict[str, Any]:
    """Names of the unit, of those above that the caller sees, and of those right below."""
    places: Places = request.app.state.places
    ids = [each for each in asked.unit.path.split("/") if each]
    above = [each for i, each in enumerate(ids) if covers(actor, "/" + "/".join(ids[: i + 1]) + "/")]
    return {
        "crumbs": [{"id": each, **await places.name(each)} for each in above],
        "children": {} if asked.leaf else await places.below(asked.unit.id),
    }
