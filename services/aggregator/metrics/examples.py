"""The worked example of each definition, as data: facts in, figures out. One test asserts them all."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from services.aggregator.metrics.values import Fact, Origin, ResponseFact, VisitFact, VisitState


@dataclass(frozen=True, slots=True)
class Example:
    """``facts`` of one branch and day, and what the point of that day must show under the given names."""

    facts: tuple[Fact, ...]
    shows: Mapping[str, float | int | None]


def _visit(
    state: VisitState, wait: int | None = None, handling: int | None = None, origin: Origin = "live"
) -> VisitFact:
    return VisitFact(
        visit="v",
        unit="branch-1",
        business_date=date(2026, 3, 2),
        service="cash",
        ticket_class="ordinary",
        channel="kiosk",
        origin=origin,
        state=state,
        issued_at=datetime(2026, 3, 2, 1, tzinfo=UTC),
        wait_seconds=wait,
        handling_seconds=handling,
    )


def _response(*answers: int, responded: bool = True) -> ResponseFact:
    return ResponseFact(
        invitation="i",
        visit="v",
        unit="branch-1",
        business_date=date(2026, 3, 2),
        service="cash",
        ticket_class="ordinary",
        invited=True,
        responded=responded,
        csat_items=answers,
    )


EXAMPLES: Final[Mapping[str, Example]] = {
    "visits.opened": Example(
        (_visit("served", 60), _visit("left", 600), _visit("waiting")),
        {"n": 3, "numerator": 3, "denominator": None, "value": 3},
    ),
    "visits.served": Example(
        (_visit("served", 60), _visit("served", 0), _visit("serving", 5), _visit("left", 600)),
        {"n": 2, "value": 2},
    ),
    "visits.abandoned": Example(
        (_visit("left", 600), _visit("no_show", 60), _visit("served", 60)),
        {"n": 1, "value": 1},
    ),
    "visits.no_show": Example(
        (_visit("left", 600), _visit("no_show", 60), _visit("served", 60)),
        {"n": 1, "value": 1},
    ),
    "wait.seconds": Example(
        (_visit("served", 0), _visit("serving", 30), _visit("no_show", 300), _visit("left", 600), _visit("waiting")),
        {"n": 3, "numerator": 330, "denominator": 3, "value": 110, "p50": 30, "p90": 300, "low": None},
    ),
    "handling.seconds": Example(
        (_visit("served", 0, 54), _visit("served", 0, 0), _visit("served", 0)),
        {"n": 2, "numerator": 54, "denominator": 2, "value": 27, "p50": 0, "p90": 54},
    ),
    "wait.service_level": Example(
        (
            *(_visit("served", 60), _visit("served", 900), _visit("served", 901)),
            *(_visit("left", 100), _visit("left", 2_000), _visit("no_show", 10)),
        ),
        {"n": 4, "numerator": 2, "denominator": 4, "value": 0.5},
    ),
    "survey.invitation_rate": Example(
        (_visit("served"), _visit("served"), _visit("served", origin="import"), _response(responded=False)),
        {"n": 2, "numerator": 1, "denominator": 2, "value": 0.5},
    ),
    "survey.response_rate": Example(
        (_response(5), *(_response(responded=False),) * 3),
        {"n": 4, "numerator": 1, "denominator": 4, "value": 0.25},
    ),
    "survey.csat": Example(
        (_response(5, 5, 3), _response(4, 0), _response(responded=False)),
        {"n": 2, "numerator": 3, "denominator": 4, "value": 0.75},
    ),
}
