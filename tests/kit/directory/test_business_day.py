"""The business day: cut-offs, clocks that change, and one day for each instant."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.directory.business_day import business_date, day_bounds, day_start

ZONES = st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "UTC"])
CUTOFFS = st.sampled_from(["00:00", "00:01", "01:30", "02:00", "02:30", "03:00", "23:30"])
INSTANTS = st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))
DAYS = st.dates(date(1990, 1, 1), date(2060, 1, 1))


def at(zone: str, *wall: int, fold: int = 0) -> datetime:
    return datetime(*wall, tzinfo=ZoneInfo(zone), fold=fold)


@pytest.mark.parametrize(
    ("wall", "cutoff", "day"),
    [
        ((2026, 3, 2, 1, 59, 59), "02:00", date(2026, 3, 1)),
        ((2026, 3, 2, 2, 0), "02:00", date(2026, 3, 2)),
        ((2026, 3, 2, 0, 0), "00:00", date(2026, 3, 2)),
        ((2026, 3, 1, 23, 59, 59), "00:00", date(2026, 3, 1)),
        ((2026, 1, 1, 1, 0), "02:00", date(2025, 12, 31)),
    ],
)
def test_a_time_before_the_cutoff_belongs_to_the_day_before(wall, cutoff, day):
    assert business_date(at("Asia/Shanghai", *wall), "Asia/Shanghai", cutoff) == day


def test_the_zone_of_the_instant_does_not_matter():
    moment = datetime(2026, 3, 1, 18, 30, tzinfo=UTC)
    seen = {
        business_date(moment.astimezone(timezone(timedelta(hours=h))), "Asia/Shanghai", "02:00") for h in (-11, 0, 14)
    }
    assert seen == {date(2026, 3, 2)}


def test_a_skipped_cutoff_begins_the_day_when_the_clocks_change():
    # Berlin, 29 March 2026: 02:00 becomes 03:00 at 01:00 UTC.
    assert day_start(date(2026, 3, 29), "Europe/Berlin", "02:30") == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert business_date(at("Europe/Berlin", 2026, 3, 29, 1, 59), "Europe/Berlin", "02:30") == date(2026, 3, 28)
    assert business_date(at("Europe/Berlin", 2026, 3, 29, 3, 0), "Europe/Berlin", "02:30") == date(2026, 3, 29)
    # St. John's, 8 March 2026: 02:00 becomes 03:00 at 05:30 UTC.
    assert day_start(date(2026, 3, 8), "America/St_Johns", "02:15") == datetime(2026, 3, 8, 5, 30, tzinfo=UTC)


def test_a_repeated_cutoff_begins_the_day_at_its_first_time():
    # Berlin, 25 October 2026: 03:00 becomes 02:00 at 01:00 UTC; 02:10 comes twice.
    day = date(2026, 10, 25)
    assert day_start(day, "Europe/Berlin", "02:30") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert business_date(at("Europe/Berlin", 2026, 10, 25, 2, 10), "Europe/Berlin", "02:30") == day - timedelta(days=1)
    assert business_date(at("Europe/Berlin", 2026, 10, 25, 2, 10, fold=1), "Europe/Berlin", "02:30") == day


def test_a_clock_set_back_across_midnight_does_not_bring_the_old_day_back():
    # St. John's, 1 November 2009: 00:01 of the 1st became 23:01 of the 31st.
    zone = "America/St_Johns"
    assert business_date(at(zone, 2009, 10, 31, 23, 30), zone, "00:00") == date(2009, 10, 31)
    assert business_date(at(zone, 2009, 11, 1, 0, 0), zone, "00:00") == date(2009, 11, 1)
    assert business_date(at(zone, 2009, 10, 31, 23, 30, fold=1), zone, "00:00") == date(2009, 11, 1)


def test_a_day_that_a_place_skipped_is_empty():
    start, end = day_bounds(date(2011, 12, 30), "Pacific/Apia", "00:00")
    assert start == end


def test_a_time_without_zone_is_refused():
    with pytest.raises(ValueError, match="aware"):
        business_date(datetime(2026, 1, 1), "UTC", "00:00")


@given(INSTANTS, st.timedeltas(timedelta(0), timedelta(days=3)), ZONES, CUTOFFS)
@example(datetime(2009, 11, 1, 2, 30, tzinfo=UTC), timedelta(minutes=30), "America/St_Johns", "00:00")
def test_the_day_never_goes_back(first, later, zone, cutoff):
    assert business_date(first, zone, cutoff) <= business_date(first + later, zone, cutoff)


@given(INSTANTS, ZONES, CUTOFFS)
def test_each_instant_lies_in_exactly_its_own_day(moment, zone, cutoff):
    day = business_date(moment, zone, cutoff)
    found = [d for d in (day + timedelta(days=n) for n in range(-2, 3)) if _within(moment, day_bounds(d, zone, cutoff))]
    assert found == [day]


def _within(moment, bounds):
    return bounds[0] <= moment < bounds[1]


@given(DAYS, ZONES, CUTOFFS)
@example(date(2009, 11, 1), "America/St_Johns", "00:00")
@example(date(2026, 3, 29), "Europe/Berlin", "02:30")
def test_the_day_changes_once_in_24_hours_give_or_take_a_clock_change(day, zone, cutoff):
    start, end = day_bounds(day, zone, cutoff)
    assert timedelta(hours=22, minutes=59) <= end - start <= timedelta(hours=25, minutes=1)
    tick = timedelta(microseconds=1)
    assert business_date(start - tick, zone, cutoff) == day - timedelta(days=1)
    assert business_date(start, zone, cutoff) == business_date(end - tick, zone, cutoff) == day


@given(DAYS, ZONES, CUTOFFS)
def test_a_day_begins_when_the_wall_clock_first_reaches_the_cutoff(day, zone, cutoff):
    start = day_start(day, zone, cutoff)
    wanted = f"{day} {cutoff}"
    shown = start.astimezone(ZoneInfo(zone))
    before = (start - timedelta(minutes=1)).astimezone(ZoneInfo(zone))
    assert f"{shown:%Y-%m-%d %H:%M}" >= wanted > f"{before:%Y-%m-%d %H:%M}"
