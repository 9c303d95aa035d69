"""Scores by HTTP: a unit with its subtree, by the visits' business days."""

from datetime import date

import pytest

MARCH = {"from": "2026-03-01", "to": "2026-03-31"}


@pytest.fixture
async def rated(surveys):
    """Six customers of gz_1 rate their visits, two of a branch whose id differs by what LIKE takes for a wildcard."""
    await surveys.published()
    visits = [("gz_1", score, date(2026, 3, 2)) for score in (5, 5, 4, 4, 3, 1)]
    visits += [("gzX1", 1, date(2026, 3, 2)), ("gzX1", 1, date(2026, 3, 31))]
    for number, (unit, score, day) in enumerate(visits):
        await surveys.complete(f"v{number}", unit, day=day)
        answers = {"quality": score, "efficiency": 5, "attitude": score}
        assert (await surveys.answer(await surveys.token(f"v{number}"), answers)).status_code == 201
    return surveys


async def lines(surveys, unit, role="branch_manager", **query):
    found = await surveys.call("GET", "/surveys/v1/scores", role, params={"unit": unit} | MARCH | query, expect=200)
    assert found.json()["definition"] == "csat-top2.v1"
    return {line["dimension"]: line for line in found.json()["items"]}


@pytest.mark.guide("2.1h", "4.3b")
async def test_a_branch_has_its_own_figures(rated):
    found = await lines(rated, "gz_1")
    assert list(found) == ["quality", "efficiency", "attitude", "overall"]
    quality = found["quality"]
    assert (quality["n"], quality["answers"], quality["suppressed"]) == (6, 6, None)
    assert quality["csat"] == pytest.approx(4 / 6)
    assert quality["mean"] == pytest.approx(22 / 6)
    assert quality["points"] == pytest.approx((22 / 6 - 1) / 4 * 100)
    assert (round(quality["low"], 3), round(quality["high"], 3)) == (0.3, 0.903)
    overall = found["overall"]
    assert (overall["n"], overall["answers"]) == (6, 18)
    assert overall["csat"] == pytest.approx(14 / 18)


async def test_a_parent_counts_its_whole_subtree_and_nothing_beside_it(rated):
    assert (await lines(rated, "gd"))["overall"]["n"] == 8
    assert (await lines(rated, "hq", "head_office"))["overall"]["n"] == 8
    assert (await lines(rated, "sh"))["overall"]["suppressed"] == "n_too_small"


@pytest.mark.guide("1.1a")
async def test_too_few_customers_are_not_shown(rated):
    for line in (await lines(rated, "gzX1")).values():
        assert line["suppressed"] == "n_too_small"
        assert {line[name] for name in ("n", "answers", "csat", "low", "high", "points", "mean")} == {None}


async def test_both_days_of_the_span_are_included(rated):
    assert (await lines(rated, "gd", to="2026-03-30"))["overall"]["n"] == 7
    assert (await lines(rated, "gd", **{"from": "2026-03-02", "to": "2026-03-02"}))["overall"]["n"] == 7
    assert (await lines(rated, "gd", **{"from": "2026-03-03"}))["overall"]["suppressed"] == "n_too_small"


async def test_refusals(rated):
    path, query = "/surveys/v1/scores", {"unit": "gz_1"} | MARCH
    await rated.call("GET", path, "branch_manager", units=["sh"], params=query, expect=404)
    await rated.call("GET", path, "teller", params=query, expect=403)
    await rated.call("GET", path, "auditor", params=query | {"from": "2026-04-01"}, expect=422)
    await rated.call("GET", path, "auditor", params={"unit": "gz_1"}, expect=422)
    await rated.call("GET", path, "auditor", params=query | {"unit": "nowhere"}, expect=409)
