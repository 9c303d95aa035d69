"""Differences of contributions: any history of facts leaves the cells of the last ones."""

from collections import Counter
from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from services.aggregator.metrics.contributions import contributions
from services.aggregator.metrics.values import Contribution, Fact, ResponseFact, VisitFact

ISSUED = datetime(2026, 3, 2, 1, tzinfo=UTC)
SECONDS = st.none() | st.integers(0, 90_000)
DAYS = st.sampled_from([date(2026, 3, 2), date(2026, 3, 3)])

VISITS = st.builds(
    VisitFact,
    visit=st.just("v"),
    unit=st.sampled_from(["b1", "b2"]),
    business_date=DAYS,
    service=st.sampled_from(["cash", "loan"]),
    ticket_class=st.sampled_from(["ordinary", "vip"]),
    channel=st.just("kiosk"),
    origin=st.sampled_from(["live", "import"]),
    state=st.sampled_from(["waiting", "called", "serving", "served", "left", "no_show"]),
    issued_at=st.just(ISSUED),
    wait_seconds=SECONDS,
    handling_seconds=SECONDS,
)
RESPONSES = st.builds(
    ResponseFact,
    invitation=st.just("i"),
    visit=st.just("v"),
    unit=st.just("b1"),
    business_date=DAYS,
    service=st.just("cash"),
    ticket_class=st.just("ordinary"),
    invited=st.booleans(),
    responded=st.booleans(),
    csat_items=st.lists(st.integers(-1, 7), max_size=4).map(tuple),
)
HISTORIES = st.lists(st.lists(VISITS, max_size=4) | st.lists(RESPONSES, max_size=4), max_size=6)


class Cells(Counter[tuple]):
    """Cells that only ever see differences; cells of zeros do not exist."""

    def add(self, changes: list[Contribution]) -> None:
        for each in changes:
            for name in ("n", "numerator", "denominator"):
                key = (*each[:6], name)
                self[key] += getattr(each, name)
                if not self[key]:
                    del self[key]


@given(HISTORIES)
def test_cells_after_any_history_are_those_of_the_final_facts(histories: list[list[Fact]]) -> None:
    lived, computed = Cells(), Cells()
    for history in histories:
        old: Fact | None = None
        for new in history:
            lived.add(contributions([new], [] if old is None else [old]))
            old = new
        if old is not None:
            computed.add(contributions([old]))
    assert lived == computed
    for (*_, name), value in lived.items():
        assert value > 0, name


@given(VISITS | RESPONSES)
def test_no_change_is_no_write_and_a_fact_that_goes_leaves_nothing(fact: Fact) -> None:
    assert contributions([fact], [fact]) == contributions([]) == []
    assert contributions([fact, fact], [fact]) == contributions([fact])


@given(VISITS | RESPONSES)
def test_a_fact_gives_at_most_one_contribution_a_metric(fact: Fact) -> None:
    metrics = [each.metric for each in contributions([fact])]
    assert len(metrics) == len(set(metrics))


def test_a_late_response_corrects_the_day_of_the_visit() -> None:
    asked = ResponseFact("i", "v", "b1", date(2026, 3, 2), "cash", "ordinary", invited=True)
    answered = asked._replace(responded=True, csat_items=(5, 4, 2))
    assert set(contributions([answered], [asked])) == {
        Contribution("survey.response_rate", date(2026, 3, 2), "b1", "cash", "ordinary", None, 0, 1, 0),
        Contribution("survey.csat", date(2026, 3, 2), "b1", "cash", "ordinary", None, 1, 2, 3),
    }
