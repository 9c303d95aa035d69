"""Rules of questionnaires."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.surveys.questionnaires import rules
from services.surveys.questionnaires.rules import VersionStatus
from shared.contracts.surveys import Dimension
from shared.policies.beginning import FARTHEST_AHEAD

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@dataclass
class Item:
    code: str
    scale_min: int = 1
    scale_max: int = 5


@given(st.lists(st.sampled_from([dimension.value for dimension in Dimension])))
def test_missing_names_exactly_the_required_dimensions_without_an_item(present):
    missing = rules.missing_dimensions(present)
    assert set(missing) == {"quality", "efficiency", "attitude"} - set(present)
    assert rules.missing_dimensions([*present, *missing]) == []


@given(st.lists(st.builds(Item, st.sampled_from("abcd"), st.integers(0, 3), st.integers(0, 3)), max_size=8))
def test_each_faulty_item_is_named_where_it_stands(items):
    faults = rules.faults_of(items)
    flat = [i for i, item in enumerate(items) if item.scale_min >= item.scale_max]
    again = [i for i, item in enumerate(items) if item.code in {other.code for other in items[:i]}]
    assert sorted(fault.pointer for fault in faults) == sorted(
        [f"/items/{i}/scale_max" for i in flat] + [f"/items/{i}/code" for i in again]
    )


def test_a_version_begins_now_or_later_but_not_in_another_age():
    assert rules.effective_fault(NOW, NOW) is None
    assert rules.effective_fault(NOW + FARTHEST_AHEAD, NOW) is None
    assert rules.effective_fault(NOW - timedelta(seconds=1), NOW).code == "in_the_past"
    assert rules.effective_fault(NOW + timedelta(days=4000), NOW).code == "too_far_ahead"
    assert rules.effective_fault(datetime.max.replace(tzinfo=UTC), NOW).code == "too_far_ahead"


def test_every_state_says_what_is_allowed():
    assert set(rules.ALLOWED) == set(VersionStatus)
