"""Business figures in the exposition: of three periods, true after corrections, bounded in labels."""

from datetime import date

from prometheus_client.parser import text_string_to_metric_families

from services.aggregator.metrics.definitions import METRICS


async def _scraped(aggregator):
    answer = await aggregator.system.client.get("/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, sample.labels["metric"], sample.labels["period"]): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name.startswith("wangdian_business_")
    }


async def test_sums_of_the_newest_day_the_one_before_and_all(aggregator, tell_visit):
    days = [date(2026, 2, 20), date(2026, 3, 1), date(2026, 3, 2), date(2026, 3, 2), date(2026, 3, 9)]
    await aggregator.publish(*(tell_visit(f"v{i}", wait=800 + i * 100, day=day) for i, day in enumerate(days)))
    found = await _scraped(aggregator)
    served = [found["wangdian_business_n", "visits.served", period] for period in ("today", "yesterday", "total")]
    # 9 March is in the future: it counts in the total alone.
    assert served == [2, 1, 5]
    assert found["wangdian_business_numerator", "wait.seconds", "today"] == 1_000 + 1_100
    level = ("wangdian_business_numerator", "wait.service_level", "total")
    assert found[level] == 2
    await aggregator.publish(tell_visit("v0", "left", sequence=2, wait=10, day=days[0]))
    assert (await _scraped(aggregator))[level] == 1


async def test_every_series_is_there_before_the_first_event(aggregator):
    found = await _scraped(aggregator)
    assert len(found) == 3 * len(METRICS) * 3
    assert set(found.values()) == {0.0}
