"""What a definition must hold to be published at all (2.1b)."""

import pytest
from pydantic import ValidationError

from services.queue.catalogue.schemas import ClassDefinition, Material, ServiceDefinition

NAMES = {"zh": "身份证", "en": "ID card"}
MATERIAL = {"code": "id", "names": NAMES, "kind": "required", "form": "original"}
SERVICE = {
    "names": NAMES,
    "prefix": "A",
    "expected_minutes": 5,
    "materials": [MATERIAL],
    "steps": [{"code": "a", "names": NAMES}],
}


@pytest.mark.parametrize("part", ["names", "prefix", "expected_minutes", "materials", "steps"])
def test_a_service_without_one_of_its_parts_is_refused(part):
    ServiceDefinition(**SERVICE)
    with pytest.raises(ValidationError):
        ServiceDefinition(**{name: value for name, value in SERVICE.items() if name != part})


@pytest.mark.parametrize(
    "change",
    [
        {"materials": []}, {"steps": []}, {"expected_minutes": 0}, {"expected_minutes": 481}, {"prefix": "abc"},
        {"prefix": "A1"}, {"prefix": ""}, {"names": {"zh": "只有中文"}}, {"names": NAMES | {"en": " "}}, {"price": 1},
    ],
)  # fmt: skip
def test_a_service_with_a_part_out_of_bounds_is_refused(change):
    with pytest.raises(ValidationError):
        ServiceDefinition(**(SERVICE | change))


def test_alternatives_name_their_group_and_conditions_say_when():
    with pytest.raises(ValidationError, match="group"):
        Material(**(MATERIAL | {"kind": "one_of"}))
    with pytest.raises(ValidationError, match="condition"):
        Material(**(MATERIAL | {"kind": "conditional"}))
    assert Material(**(MATERIAL | {"kind": "one_of", "group": "identity"})).group == "identity"
    assert Material(**(MATERIAL | {"kind": "conditional", "condition": NAMES})).condition.zh == "身份证"


@pytest.mark.parametrize(("seconds", "fits"), [(-1, False), (0, True), (7200, True), (7201, False)])
def test_head_starts_are_bounded(seconds, fits):
    body = {"names": NAMES, "head_start_seconds": seconds, "evidence": "none"}
    if fits:
        ClassDefinition(**body)
    else:
        with pytest.raises(ValidationError):
            ClassDefinition(**body)
