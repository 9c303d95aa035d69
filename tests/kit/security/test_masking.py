"""Masks: enough to recognise, nothing to learn from their length."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.security.masking import mask_name, mask_phone


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("张三", "张*"),
        ("张小明", "张*"),
        ("欧阳小明", "欧阳*"),
        ("欧阳", "欧*"),
        ("司马光", "司马*"),
        ("买买提·艾力", "买*"),
        ("Maria del Pilar", "M*"),
        (" 张三 ", "张*"),
        ("张", "*"),
        ("", "*"),
    ],
)
def test_names(name: str, masked: str) -> None:
    assert mask_name(name) == masked


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        ("13812341234", "138****1234"),
        ("+86 138-1234-1234", "138****1234"),
        ("008613812341234", "138****1234"),
        ("010-12345678", "****78"),
        ("+49 30 1234567", "****67"),
        ("12345", "****"),
        ("1", "****"),
        ("", "****"),
        ("١٣٨١٢٣٤١٢٣٤", "****"),
    ],
)
def test_phones(phone: str, masked: str) -> None:
    assert mask_phone(phone) == masked


@given(st.text(min_size=2, max_size=30))
def test_the_width_of_a_masked_name_says_nothing_about_the_rest(name: str) -> None:
    masked = mask_name(name)
    assert masked == "*" or (masked.endswith("*") and name.strip().startswith(masked[:-1]) and len(masked) <= 3)


@given(st.text("0123456789", max_size=7))
def test_a_short_number_is_masked_whole(number: str) -> None:
    assert mask_phone(number) == "****"
