"""Business figures for Prometheus, read from the rollups at each scrape: true after a restart, the same in any replica.

Labels are bounded: the metrics there are, and three periods. Figures of a branch come from the API.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from prometheus_client.core import GaugeMetricFamily, Metric

from services.aggregator.metrics import generations, queries
from services.aggregator.metrics.definitions import METRICS
from services.aggregator.metrics.rollups import ALL_DAYS
from shared.db.statements import Row
from shared.db.uow import Reads

if TYPE_CHECKING:
    from shared.runtime import ServiceRuntime

_DAY: Final = timedelta(days=1)
_SUMS: Final = {
    "n": "Observations of the metric over the whole bank",
    "numerator": "Numerator of the metric over the whole bank; seconds for durations",
    "denominator": "Denominator of the metric over the whole bank",
}


async def figures(reads: Reads) -> list[tuple[str, Row]]:
    """(period, sums of a metric): the newest business day, the one before, all days.

    The newest is that of the newest visit, but never after tomorrow: a visit misdated in the future hides no day.
    """
    state = await generations.look(reads)
    if state is None:
        return []
    newest = await reads.scalar(queries.NEWEST_DAY, generation=state.active, latest=reads.now.date() + _DAY)
    if newest is None or newest == ALL_DAYS:
        return []
    periods: dict[date, str] = {newest: "today", newest - _DAY: "yesterday", ALL_DAYS: "total"}
    rows = await reads.all(
        queries.ROLLUPS, generation=state.active, all_days=ALL_DAYS, newest=newest, before=newest - _DAY
    )
    return [(periods[row.day], row) for row in rows]


def families(found: Iterable[tuple[str, Row]]) -> list[Metric]:
    """The exposition's families; a metric without a figure in a period shows 0, so that no series comes and goes."""
    sums = {(row.metric, period): row for period, row in found}
    families: list[Metric] = []
    for name, text in _SUMS.items():
        family = GaugeMetricFamily(f"wangdian_business_{name}", text, labels=["metric", "period"])
        for metric in METRICS:
            for period in ("today", "yesterday", "total"):
                row = sums.get((metric, period))
                family.add_metric([metric, period], 0 if row is None else getattr(row, name))
        families.append(family)
    return families


async def collect(runtime: "ServiceRuntime") -> list[Metric]:
    """The families as they are now: some two hundred rows by key, so nothing is kept between scrapes."""
    return families(await runtime.db.read(figures))
