"""Both real months through import format and metrics, without a database: the figures of the second computation."""

from collections import defaultdict
from datetime import UTC, date, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from services.aggregator.metrics.answers import point
from services.aggregator.metrics.buckets import bucket_of
from services.aggregator.metrics.contributions import contributions
from services.aggregator.metrics.definitions import METRICS
from services.aggregator.metrics.values import Cell, Contribution, VisitFact
from services.queue.imports.formats.registry import FORMATS
from services.queue.imports.parsing import FileParser, parse
from services.queue.imports.rows import Context, VisitRow
from tests.system.independent_bank import Day, find_month, quantile, read_month, service_level

CONTEXT = Context(ZoneInfo("Asia/Shanghai"), datetime(2026, 11, 25, tzinfo=UTC))


def fact(row: VisitRow) -> VisitFact:
    return VisitFact(
        visit=row.external_key,
        unit="branch-1",
        business_date=row.business_date,
        service=row.service,
        ticket_class=row.ticket_class,
        channel=row.channel,
        origin="import",
        state=row.outcome,
        issued_at=row.issued_at,
        wait_seconds=row.wait_seconds,
        handling_seconds=row.handling_seconds,
    )


def check(first: date, last: date, added: list[Contribution], truth: Day) -> None:
    cells: dict[str, list[Cell]] = defaultdict(list)
    for each in added:
        cells[each.metric].append(Cell(each.bucket, each.n, each.numerator, each.denominator))

    def answer(name: str, **limits: object) -> object:
        return point(METRICS[name], first, last, cells[name], **limits)

    assert answer("visits.opened").value == truth.served + truth.left
    assert answer("visits.served").value == truth.served
    assert answer("visits.abandoned").value == truth.left
    assert answer("visits.no_show").value == answer("survey.invitation_rate").n == 0
    for name, durations in (("wait.seconds", truth.waits), ("handling.seconds", truth.handling)):
        shown = answer(name)
        assert (shown.n, shown.numerator) == (len(durations), sum(durations))
        for got, share in ((shown.p50, 50), (shown.p90, 90), (shown.p95, 95)):
            exact = quantile(durations, Fraction(share, 100))
            assert bucket_of(got) == bucket_of(exact)
            assert got == exact or exact > 60
    for within in (0, 20, 60, 62, 300, 307, 900, 1_000):
        shown = answer("wait.service_level", within=within)
        assert (shown.numerator, shown.denominator) == service_level(truth, within)
        assert not shown.incomplete


@pytest.mark.data
@pytest.mark.parametrize("month", ["1999-01", "1999-02"])
def test_a_month_and_each_of_its_days(month: str) -> None:
    path = find_month(month)
    if path is None:
        pytest.skip("the data sets are not beside this checkout")
    truth = read_month(path)
    by_day: dict[date, list[VisitRow]] = defaultdict(list)
    for row in parse(FileParser(FORMATS["anonymous-bank"], CONTEXT), [path.read_bytes()]):
        if isinstance(row, VisitRow):
            by_day[row.business_date].append(row)
    assert by_day.keys() == truth.days.keys()
    everything: list[Contribution] = []
    for day, rows in by_day.items():
        added = contributions([fact(row) for row in rows])
        check(day, day, added, truth.days[day])
        everything += added
    check(min(by_day), max(by_day), everything, truth.total())
