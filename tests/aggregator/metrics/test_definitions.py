"""Every definition says what a reader must know, and its worked example comes out."""

import pytest

from services.aggregator.metrics.answers import point
from services.aggregator.metrics.contributions import contributions
from services.aggregator.metrics.definitions import METRICS
from services.aggregator.metrics.examples import EXAMPLES
from services.aggregator.metrics.values import Cell


def test_the_ids_are_those_that_callers_rely_on() -> None:
    assert list(METRICS) == [
        *("visits.opened", "visits.served", "visits.abandoned", "visits.no_show"),
        *("wait.seconds", "handling.seconds", "wait.service_level"),
        *("survey.invitation_rate", "survey.response_rate", "survey.csat"),
    ]
    assert EXAMPLES.keys() == METRICS.keys()


@pytest.mark.parametrize("name", METRICS)
def test_a_definition_is_complete(name: str) -> None:
    metric = METRICS[name]
    assert metric.version >= 1
    for word in ("Numerator:", "Denominator:", "Excluded:", "Day:", "Unit:", "Direction:", "Example"):
        assert word in metric.description, word
    assert metric.title_en
    assert any("一" <= letter <= "鿿" for letter in metric.title_zh)


@pytest.mark.parametrize("name", METRICS)
def test_the_worked_example_comes_out(name: str) -> None:
    example = EXAMPLES[name]
    day = example.facts[0].business_date
    cells = [
        Cell(each.bucket, each.n, each.numerator, each.denominator)
        for fact in example.facts
        for each in contributions([fact])
        if each.metric == name
    ]
    answer = point(METRICS[name], day, day, cells)
    assert {shown: getattr(answer, shown) for shown in example.shows} == dict(example.shows)
    assert not answer.incomplete
