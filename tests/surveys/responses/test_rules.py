"""Rules of responses."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from services.surveys.responses import rules


@dataclass
class Item:
    item: str
    scale_min: int
    scale_max: int
    required: bool


ITEMS = st.lists(
    st.builds(Item, st.sampled_from("abcdef"), st.integers(0, 3), st.integers(4, 10), st.booleans()),
    max_size=5, unique_by=lambda item: item.item,
)  # fmt: skip


@given(ITEMS, st.dictionaries(st.sampled_from("abcdefgh"), st.integers(-2, 12), max_size=8))
def test_answers_without_a_fault_are_exactly_those_that_fit(items, answers):
    asked = {item.item: item for item in items}
    unfit = {
        name for name, score in answers.items()
        if name not in asked or not asked[name].scale_min <= score <= asked[name].scale_max
    }  # fmt: skip
    missing = {item.item for item in items if item.required} - set(answers)
    faults = rules.faults_of(items, answers)
    assert sorted(fault.pointer for fault in faults) == sorted(f"/answers/{name}" for name in unfit | missing)
    assert {fault.code for fault in faults} <= {"unknown_item", "out_of_scale", "missing"}
