"""What may hang where, and for how long."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.staff.organisation.rules import (
    Period,
    ends_after_start,
    in_force,
    lies_within,
    may_hang,
    path_below,
    zones,
)
from shared.contracts.staff import UnitKind

T0 = datetime(2026, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 6).map(lambda n: T0 + timedelta(days=n))
PERIODS = st.builds(Period, MOMENTS, st.none() | MOMENTS).filter(ends_after_start)


def test_a_path_lists_the_ids_from_the_root():
    assert path_below(None, "hq") == "/hq/"
    assert path_below("/hq/prov-gd/", "gz-001") == "/hq/prov-gd/gz-001/"


@pytest.mark.parametrize("kind", UnitKind)
@pytest.mark.parametrize("parent", [None, *UnitKind])
def test_head_office_is_the_root_and_branches_are_leaves(kind, parent):
    allowed = parent is None if kind is UnitKind.HEAD_OFFICE else parent in (UnitKind.HEAD_OFFICE, UnitKind.REGION)
    assert may_hang(kind, parent) is allowed


@given(PERIODS, PERIODS)
def test_a_period_lies_within_another_when_each_of_its_moments_does(inner, outer):
    moments = [T0 + timedelta(hours=12 * n) for n in range(16)]
    each = all(in_force(outer, at) for at in moments if in_force(inner, at))
    open_ended = inner.valid_to is None and outer.valid_to is not None
    assert lies_within(inner, outer) == (each and not open_ended)


def test_a_period_holds_its_start_and_not_its_end():
    period = Period(T0, T0 + timedelta(days=1))
    tick = timedelta(microseconds=1)
    seen = [in_force(period, at) for at in (T0 - tick, T0, T0 + timedelta(days=1) - tick, T0 + timedelta(days=1))]
    assert seen == [False, True, True, False]
    assert not ends_after_start(Period(T0, T0))


def test_zones_are_those_of_iana_and_all_can_be_loaded():
    assert {"Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "UTC"} <= zones()
    assert not {"localtime", "posixrules", "Europe", "right/UTC", "../etc/passwd", ""} & zones()
    for name in zones():
        ZoneInfo(name)
