"""The metrics. A docstring is the definition: it is printed in ``docs/metrics.md``, and its example is tested.

For all of them: the day is the business date of the visit, and the unit is the branch of the visit.
"""

from typing import Final

from services.aggregator.metrics.buckets import BEYOND, bucket_of
from services.aggregator.metrics.registry import METRICS, metric
from services.aggregator.metrics.values import Amount, Fact, ResponseFact, VisitFact

__all__ = ["LEVELS", "METRICS"]

_ONE: Final = Amount(1, 1, 1)
_CALLED: Final = frozenset({"called", "serving", "served", "no_show"})
_SATISFIED: Final = 4


@metric(
    "visits.opened",
    VisitFact,
    version=1,
    kind="count",
    direction="neutral",
    title_zh="取号数",
    title_en="Visits opened",
)
def visits_opened(fact: VisitFact) -> Amount | None:
    """Tickets issued.

    Numerator: visits, whatever became of them. Denominator: none.
    Excluded: nothing; imported history counts.
    Day: business date of the visit. Unit: the branch that issued the ticket. Direction: neither.
    Example: one served, one left, one still waiting: 3.
    """
    return _ONE


@metric(
    "visits.served",
    VisitFact,
    version=1,
    kind="count",
    direction="neutral",
    title_zh="办结数",
    title_en="Visits served",
)
def visits_served(fact: VisitFact) -> Amount | None:
    """Visits whose business was finished.

    Numerator: visits in state served. Denominator: none.
    Excluded: visits still in service; those who left; no-shows.
    Day: business date of the visit. Unit: the branch that served it. Direction: neither.
    Example: two served, one in service, one left: 2.
    """
    return _ONE if fact.state == "served" else None


@metric(
    "visits.abandoned",
    VisitFact,
    version=1,
    kind="count",
    direction="down",
    title_zh="弃号数（离开）",
    title_en="Visits abandoned",
)
def visits_abandoned(fact: VisitFact) -> Amount | None:
    """Customers who left before they were served.

    Numerator: visits in state left. Denominator: none.
    Excluded: no-shows, who are counted by visits.no_show.
    Day: business date of the visit. Unit: the branch that issued the ticket. Direction: fewer is better.
    Example: one left, one no-show, one served: 1.
    """
    return _ONE if fact.state == "left" else None


@metric(
    "visits.no_show",
    VisitFact,
    version=1,
    kind="count",
    direction="down",
    title_zh="过号数",
    title_en="No-shows",
)
def visits_no_show(fact: VisitFact) -> Amount | None:
    """Customers who were called and did not come.

    Numerator: visits in state no_show. Denominator: none.
    Excluded: customers who said that they leave, or whose ticket was never called.
    Day: business date of the visit. Unit: the branch that called. Direction: fewer is better.
    Example: one left, one no-show, one served: 1.
    """
    return _ONE if fact.state == "no_show" else None


@metric(
    "wait.seconds",
    VisitFact,
    version=1,
    kind="duration",
    direction="down",
    title_zh="等候时长",
    title_en="Waiting time",
)
def wait_seconds(fact: VisitFact) -> Amount | None:
    """How long customers waited for their first call.

    Numerator: seconds from issue to first call, rounded half up for each visit. Denominator: visits that were called.
    Excluded: customers who left (their wait would have gone on); visits still waiting. A no-show was called and counts.
    Day: business date of the visit. Unit: the branch that called. Direction: shorter is better.
    Example: called after 0, 30 and 300 s, and one who left after 600 s: mean 110 over n = 3, median 30, p90 300.
    """
    if fact.wait_seconds is None or fact.state not in _CALLED:
        return None
    return Amount(1, fact.wait_seconds, 1, bucket_of(fact.wait_seconds))


@metric(
    "handling.seconds",
    VisitFact,
    version=1,
    kind="duration",
    direction="neutral",
    title_zh="办理时长",
    title_en="Handling time",
)
def handling_seconds(fact: VisitFact) -> Amount | None:
    """How long the handling at the window took.

    Numerator: seconds from start to finish, rounded half up for each visit. Denominator: visits where that is known.
    Excluded: visits whose handling time is unknown, never taken as 0; visits still in service. In imported history a
    customer who hung up while being served has a handling time, and counts.
    Day: business date of the visit. Unit: the branch of the window that finished. Direction: neither by itself.
    Example: 54 s, 0 s and one unknown: mean 27 over n = 2.
    """
    if fact.handling_seconds is None:
        return None
    return Amount(1, fact.handling_seconds, 1, bucket_of(fact.handling_seconds))


@metric(
    "wait.service_level",
    VisitFact,
    version=2,
    kind="service_level",
    direction="up",
    title_zh="等候达标率",
    title_en="Service level",
)
def wait_service_level(fact: VisitFact) -> Amount | None:
    """The share served within T seconds; T is asked for in the query (``within``, 900 if it is not).

    Numerator: served visits whose wait was at most T. Denominator: all served, and those who left after more than T.
    Excluded: customers who left within T (they did not wait long enough to be failed); no-shows, whose wait was ended
    by a call they did not hear, neither met nor missed; visits not yet finished. Imported history counts too.
    Day: business date of the visit. Unit: the branch of the visit. Direction: higher is better.
    Example with T = 900: served after 60, 900 and 901 s, left after 100 and 2000 s: 2 / (3 + 1) = 0.5.

    A cell holds one second of waits: its numerator the served, its denominator the served and the left.
    """
    if fact.wait_seconds is None or fact.state not in {"served", "left"}:
        return None
    return Amount(1, int(fact.state == "served"), 1, min(fact.wait_seconds, BEYOND))


@metric(
    "survey.invitation_rate",
    VisitFact,
    ResponseFact,
    version=1,
    kind="ratio",
    direction="up",
    title_zh="评价邀请率",
    title_en="Invitation rate",
)
def survey_invitation_rate(fact: Fact) -> Amount | None:
    """The share of served customers who were asked for their opinion.

    Numerator: invitations made. Denominator: live visits in state served.
    Excluded: imported history, for which nobody is invited; visits not served.
    Day: business date of the visit. Unit: the branch of the visit. Direction: higher is better.
    Example: two live visits served, one imported, one invitation: 1 / 2 = 0.5.
    """
    if isinstance(fact, ResponseFact):
        return Amount(0, 1, 0) if fact.invited else None
    return Amount(1, 0, 1) if fact.state == "served" and fact.origin == "live" else None


@metric(
    "survey.response_rate",
    ResponseFact,
    version=1,
    kind="ratio",
    direction="up",
    title_zh="评价回收率",
    title_en="Response rate",
)
def survey_response_rate(fact: ResponseFact) -> Amount | None:
    """The share of invited customers who answered.

    Numerator: invitations answered. Denominator: invitations made.
    Excluded: nothing; an invitation that is still open counts as not answered yet.
    Day: business date of the visit, not of the answer. Unit: the branch of the visit. Direction: higher is better.
    Example: four invited, one answered: 1 / 4 = 0.25.
    """
    return Amount(1, int(fact.responded), 1) if fact.invited else None


@metric(
    "survey.csat",
    ResponseFact,
    version=1,
    kind="ratio",
    direction="up",
    title_zh="满意率",
    title_en="Satisfaction (top two of five)",
)
def survey_csat(fact: ResponseFact) -> Amount | None:
    """The share of answers that are 4 or 5 on a scale of 1 to 5, over all rated items.

    Numerator: answers of 4 or 5. Denominator: valid answers, 1 to 5.
    Excluded: items not answered or not applicable, and anything outside 1 to 5: never taken as a low answer.
    n: responses with a valid answer. Answers of one customer are alike, so the interval counts customers, not answers.
    Day: business date of the visit, so that a late response corrects its day. Unit: the branch of the visit.
    Direction: higher is better.
    Example: answers 5, 5, 3 of one customer and 4 of another: 3 / 4 = 0.75 with n = 2.
    """
    valid = [answer for answer in fact.csat_items if 1 <= answer <= 5]
    if not fact.responded or not valid:
        return None
    return Amount(1, sum(answer >= _SATISFIED for answer in valid), len(valid))


LEVELS: Final = frozenset(each.id for each in METRICS.values() if each.kind == "service_level")
"""The metrics whose cells are kept by second."""
