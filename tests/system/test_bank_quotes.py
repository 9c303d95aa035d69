"""The start values of the wait quote over a real February: the replay that the choice of predictor rests on.

Every quote uses only what was over strictly before the second of issue. Servers are those in service, or busy within
the last 15 minutes, who have served the type within 14 days; services of 0 s or over an hour say nothing.
"""

import heapq
from datetime import UTC, datetime, timedelta
from statistics import mean
from typing import Any

import pytest

from services.queue.estimates.rules import START, Waiting, ahead, mean_service_after, quote
from tests.system.independent_bank import find_month, read_month

RECENT, SKILLED, LONGEST = timedelta(minutes=15), timedelta(days=14), 3_600


class Servers:
    """Who serves, as far as it is known at a time."""

    def __init__(self) -> None:
        self.ends: dict[str, list[datetime]] = {}
        self.last_end: dict[str, datetime] = {}
        self.last_of_type: dict[tuple[str, str], datetime] = {}

    def able(self, kind: str, now: datetime) -> int:
        count = 0
        for server, ends in self.ends.items():
            last = self.last_of_type.get((server, kind))
            if last is None or now - last > SKILLED:
                continue
            count += bool(ends) or now - self.last_end.get(server, datetime.min) <= RECENT
        return count


def replay(visits: list[dict[str, Any]]) -> list[tuple[datetime, float, float, float]]:
    """Issue time, wait, p50 and p80 of each ticket that waited and was answered."""
    visits.sort(key=lambda each: (each["issued"], each["key"][0], str(each["key"][1])))
    happenings: list[tuple[datetime, int, str, dict[str, Any]]] = []
    hall: dict[int, tuple[datetime, Waiting]] = {}
    servers, service = Servers(), START.mean_service_seconds
    scored = []
    for number, each in enumerate(visits):
        now = each["issued"]
        while happenings and happenings[0][0] < now:
            at, _, what, other = heapq.heappop(happenings)
            server, kind = other["server"], other["service"]
            if what == "start":
                servers.ends.setdefault(server, []).append(other["finished"])
                servers.last_of_type[server, kind] = at
            else:
                servers.ends[server].remove(other["finished"])
                servers.last_end[server] = at
                service = mean_service_after(service, other["handling"])
        for gone in [key for key, (over, _) in hall.items() if over < now]:
            del hall[gone]
        mine = Waiting(f"{number:06}", now.replace(tzinfo=UTC), 90 * each["priority"])
        if each["outcome"] == "AGENT" and each["wait"] > 0 and now.hour >= 7:
            people = ahead((ticket for _, ticket in hall.values()), mine)
            given = quote(people, max(1, servers.able(each["service"], now)), service)
            assert given.p50 is not None and given.p80 is not None
            scored.append((now, each["wait"], given.p50, given.p80))
        if each["wait"] > 0:
            hall[number] = (each["over"], mine)
        if each["server"] != "NO_SERVER" and each["started"] and 0 < each["handling"] <= LONGEST:
            heapq.heappush(happenings, (each["started"], number, "start", each))
            heapq.heappush(happenings, (each["finished"], number, "stop", each))
    return scored


@pytest.mark.data
def test_the_start_values_over_a_real_february() -> None:
    months = [find_month("1999-01"), find_month("1999-02")]
    if None in months:
        pytest.skip("the data sets are not beside this checkout")
    visits = [visit for path in months if path for visit in read_month(path).visits]
    scored = replay(visits)
    assert sum(at.month == 1 for at, *_ in scored) == 13_572
    february = [row for row in scored if row[0].month == 2]
    assert len(february) == 14_087
    error = mean(abs(wait - p50) for _, wait, p50, _ in february)
    covered = mean(wait <= p80 for _, wait, _, p80 in february)
    pinball = mean(max(0.8 * (wait - p80), 0.2 * (p80 - wait)) for _, wait, _, p80 in february)
    assert error == pytest.approx(45.8, abs=0.1)
    assert covered == pytest.approx(0.75, abs=0.005)
    assert pinball == pytest.approx(20.8, abs=0.1)
