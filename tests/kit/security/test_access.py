"""The organisation tree as the limit of a token."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.security.access import covers
from shared.security.principal import Principal, Role

PATH = "/hq/north/branch-1/"
nodes = st.text("abcdef-1", min_size=1, max_size=6)


def of(*units: str, roles: frozenset[str] = frozenset({"teller"})) -> Principal:
    return Principal("u1", None, roles, units)


@pytest.mark.parametrize("units", [("hq",), ("north",), ("branch-1",), ("south", "branch-1"), ("*",)])
def test_a_node_covers_itself_and_what_is_below(units: tuple[str, ...]) -> None:
    assert covers(of(*units), PATH)


@pytest.mark.parametrize("units", [(), ("branch-2",), ("branch",), ("branch-11",), ("",), ("/",), ("north/branch-1",)])
def test_another_node_does_not(units: tuple[str, ...]) -> None:
    assert not covers(of(*units), PATH)


@pytest.mark.parametrize("role", list(Role))
def test_no_role_covers_anything_without_units(role: Role) -> None:
    assert not covers(of(roles=frozenset({role})), PATH)


def test_a_parent_is_not_covered_by_its_child() -> None:
    assert not covers(of("branch-1"), "/hq/north/")


@given(st.lists(nodes, max_size=4), st.lists(nodes, max_size=4), nodes)
def test_what_is_covered_stays_covered_further_down(units: list[str], path: list[str], child: str) -> None:
    above, below = "/".join(["", *path, ""]), "/".join(["", *path, child, ""])
    assert covers(of(*units), below) or not covers(of(*units), above)
