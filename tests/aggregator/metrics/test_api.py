"""Questions about metrics: shapes, refusals, sums over the tree, exact service levels."""

import random
from datetime import date, timedelta

import pytest

from shared.db.tables import dead_letter
from shared.ids import uuid7

MARCH_2 = {"from": "2026-03-02", "to": "2026-03-02"}
METRICS = {
    "visits.opened", "visits.served", "visits.abandoned", "visits.no_show", "wait.seconds", "handling.seconds",
    "wait.service_level", "survey.invitation_rate", "survey.response_rate", "survey.csat",
}  # fmt: skip


async def test_the_metrics_are_listed_with_their_definitions(aggregator):
    first = (await aggregator.call("GET", "/aggregator/v1/metrics?limit=4", "auditor", expect=200)).json()
    cursor = first["next"]
    rest = (await aggregator.call("GET", f"/aggregator/v1/metrics?cursor={cursor}", "auditor", expect=200)).json()
    items = first["items"] + rest["items"]
    assert len(first["items"]) == 4
    assert rest["next"] is None
    assert {each["id"] for each in items} == METRICS
    wait = next(each for each in items if each["id"] == "wait.seconds")
    assert wait["titles"] == {"zh": "等候时长", "en": "Waiting time"}
    assert (wait["version"], wait["kind"], wait["direction"], wait["unit_of_measure"]) == (1, "duration", "down", "s")
    assert "Numerator: seconds from issue to first call" in wait["definition"]


@pytest.mark.guide("1.1b")
async def test_a_duration_has_a_mean_and_quantiles(aggregator, tell_visit):
    await aggregator.publish(*(tell_visit(f"v{i}", wait=wait) for i, wait in enumerate([0, 30, 300])))
    body = await aggregator.ask("wait.seconds", unit="gz-001", **MARCH_2)
    assert body == {
        "metric": "wait.seconds",
        "unit": "gz-001",
        "points": [
            {
                "from": "2026-03-02", "to": "2026-03-02", "n": 3, "numerator": 330, "denominator": 3, "value": 110.0,
                "low": None, "high": None, "p50": 30, "p90": 300, "p95": 300, "incomplete": False,
            }
        ],
    }  # fmt: skip


@pytest.mark.guide("2.2b")
async def test_service_time_is_not_waiting_time(aggregator, tell_visit):
    await aggregator.publish(
        *(tell_visit(f"v{i}", wait=600, handling=handling) for i, handling in enumerate([60, 180]))
    )
    (point,) = await aggregator.points("handling.seconds", unit="gz-001", **MARCH_2)
    assert (point["n"], point["numerator"], point["value"]) == (2, 240, 120.0)


async def test_every_day_has_a_point_and_periods_follow_the_question(aggregator, tell_visit):
    for i, day in enumerate((date(2026, 1, 30), date(2026, 2, 1), date(2026, 2, 28), date(2026, 3, 1))):
        await aggregator.publish(tell_visit(f"v{i}", day=day))
    span = {"unit": "gz-001", "from": "2026-01-30", "to": "2026-03-01"}
    days = await aggregator.points("visits.opened", **span)
    assert len(days) == 31
    assert [each["from"] for each in days if each["n"]] == ["2026-01-30", "2026-02-01", "2026-02-28", "2026-03-01"]
    months = await aggregator.points("visits.opened", by="month", **span)
    assert [(each["from"], each["to"], each["n"]) for each in months] == [
        ("2026-01-30", "2026-01-31", 1),
        ("2026-02-01", "2026-02-28", 2),
        ("2026-03-01", "2026-03-01", 1),
    ]
    total = await aggregator.points("visits.opened", by="total", **span)
    assert [(each["from"], each["to"], each["n"], each["denominator"]) for each in total] == [
        ("2026-01-30", "2026-03-01", 4, None)
    ]


async def test_the_last_thirty_days_to_the_units_own_today_are_the_default(aggregator):
    points = await aggregator.points("visits.opened", unit="gz-001")
    assert (points[0]["from"], points[-1]["to"], len(points)) == ("2026-01-31", "2026-03-02", 31)


@pytest.mark.guide("5.5a")
async def test_a_province_is_the_sum_of_its_branches(aggregator, tell_visit):
    told = [("gz-001", 60), ("gz-001", 90), ("gz-002", 120), ("bj-001", 600)]
    await aggregator.publish(*(tell_visit(f"v{i}", unit=unit, wait=wait) for i, (unit, wait) in enumerate(told)))
    sums = {}
    for unit in ("gz-001", "gz-002", "bj-001", "prov-gd", "prov-bj", "hq"):
        (point,) = await aggregator.points("wait.seconds", unit=unit, **MARCH_2)
        sums[unit] = (point["n"], point["numerator"])
    assert sums == {
        "gz-001": (2, 150), "gz-002": (1, 120), "bj-001": (1, 600), "prov-gd": (3, 270), "prov-bj": (1, 600),
        "hq": (4, 870),
    }  # fmt: skip


async def test_a_service_level_is_exact_at_any_limit(aggregator, tell_visit):
    rng = random.Random(7)
    visits = [
        (
            rng.choice(["served", "left", "no_show"]),
            int(rng.expovariate(1 / 700)),
            rng.choice(["gz-001", "gz-002"]),
            day,
        )
        for day in (date(2026, 2, 27), date(2026, 3, 2))
        for _ in range(120)
    ]
    await aggregator.publish(
        *(tell_visit(f"v{i:03d}", s, wait=w, unit=u, day=d) for i, (s, w, u, d) in enumerate(visits))
    )
    span = {"from": "2026-02-27", "to": "2026-03-02"}
    for within in (1, 59, 61, 317, 899, 900, 901, 1_234, 4_000, 86_400):
        for unit in ("gz-001", "prov-gd"):
            mine = [each for each in visits if unit in (each[2], "prov-gd")]
            for by in ("day", "month", "total"):
                for point in await aggregator.points("wait.service_level", unit=unit, by=by, within=within, **span):
                    waits = [(s, w) for s, w, _, d in mine if point["from"] <= d.isoformat() <= point["to"]]
                    met = sum(s == "served" and w <= within for s, w in waits)
                    all_ = sum(s == "served" or (s == "left" and w > within) for s, w in waits)
                    assert (point["numerator"], point["denominator"]) == (met, all_), (within, unit, by)
                    assert not point["incomplete"]


async def test_a_late_response_shows_on_the_day_of_its_visit(aggregator, tell_invitation):
    await aggregator.publish(tell_invitation())
    (before,) = await aggregator.points("survey.csat", unit="gz-001", **MARCH_2)
    await aggregator.publish(tell_invitation(scores=[5, 5, 3], sequence=2))
    (after,) = await aggregator.points("survey.csat", unit="gz-001", **MARCH_2)
    assert (before["n"], before["value"]) == (0, None)
    assert (after["n"], after["numerator"], after["denominator"]) == (1, 2, 3)
    assert 0 < after["low"] < after["value"] < after["high"] < 1


async def test_figures_are_incomplete_while_a_subject_is_parked(aggregator, tell_visit):
    await aggregator.publish(tell_visit(), tell_visit("v2"))
    now = aggregator.system.clock.now()

    async def park(uow):
        letter = {
            "id": uuid7(), "topic": "queue.events", "partition": 0, "offset": 99, "event_id": "e", "type": "t",
            "subject": "v9", "headers": {}, "payload": b"", "state": "waiting", "error": "x", "attempts": 0,
            "first_seen": now, "next_try": None,
        }  # fmt: skip
        await uow.execute(dead_letter.insert().values(letter))

    assert [p["incomplete"] for p in await aggregator.points("visits.opened", unit="hq", **MARCH_2)] == [False]
    await aggregator.runtime.db.write(park, actor="test")
    assert [p["incomplete"] for p in await aggregator.points("visits.opened", unit="hq", **MARCH_2)] == [True]


@pytest.mark.parametrize(
    ("metric", "params", "status", "pointer"),
    [
        ("visits.unknown", {}, 404, "/path/metric"),
        ("visits.opened", {"within": 60}, 422, "/query/within"),
        ("wait.service_level", {"within": 0}, 422, "/query/within"),
        ("wait.service_level", {"within": 86_401}, 422, "/query/within"),
        ("visits.opened", {"from": "2026-03-03", "to": "2026-03-02"}, 422, "/query/from"),
        ("visits.opened", {"from": "2026-03-03"}, 422, "/query/from"),
        ("visits.opened", {"from": "2000-01-01"}, 422, "/query/from"),
        ("visits.opened", {"from": "0001-01-01", "to": "0001-01-02"}, 422, "/query/from"),
        ("visits.opened", {"to": "9999-12-31", "by": "month"}, 422, "/query/to"),
        ("visits.opened", {"to": "0001-01-05"}, 422, "/query/to"),
        ("visits.opened", {"from": "1700000000"}, 422, "/query/from"),
        ("visits.opened", {"from": "2026-02-30"}, 422, "/query/from"),
        ("visits.opened", {"by": "week"}, 422, "/query/by"),
        ("visits.opened", {"unit": "%00"}, 422, "/query/unit"),
    ],
)
async def test_questions_that_make_no_sense_are_refused(aggregator, metric, params, status, pointer):
    body = await aggregator.ask(metric, expect=status, **({"unit": "gz-001"} | params))
    assert body["status"] == status
    assert [error["pointer"] for error in body["errors"]] == [pointer]


async def test_the_longest_question_is_answered(aggregator):
    points = await aggregator.points("wait.seconds", unit="hq", **{"from": "2016-01-15", "to": "2026-03-02"})
    assert len(points) == 3_700
    assert date.fromisoformat(points[0]["from"]) == date(2026, 3, 2) - timedelta(days=3_699)


async def test_another_branch_is_not_found(aggregator):
    await aggregator.ask("visits.opened", unit="gz-002", role="teller", units=("gz-001",), expect=404)
    await aggregator.ask("visits.opened", unit="prov-gd", role="branch_manager", units=("gz-001",), expect=404)
    await aggregator.ask("visits.opened", unit="gz-001", role="teller", units=("gz-001",))
    await aggregator.ask("visits.opened", unit="gz-001", role="kiosk", units=("gz-001",), expect=403)
