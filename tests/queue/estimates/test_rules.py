"""The wait quote: golden numbers worked out by hand, the people ahead, and parameters as data."""

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.queue.estimates.rules import (
    START,
    Coefficients,
    Quote,
    QuoteParams,
    Waiting,
    ahead,
    mean_service_after,
    quote,
    service_order,
)

NINE = datetime(2026, 3, 2, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("people", "servers", "mean", "p50", "p80"),
    [
        (0, 1, 190, 133.0, 304.0),  # 190 x 0.7; 190 x 1.6
        (3, 5, 190, 108.80, 216.50),  # 133 x 0.8^0.9; 304 x 3.0314 / 4.2567
        (9, 1, 190, 1056.46, 1918.11),  # 133 x 10^0.9; 304 x 10^0.8
        (0, 4, 100, 20.10, 45.95),  # 70 / 4^0.9; 160 / 4^0.9
        (4, 5, 100, 70.0, 136.21),  # 70 x 5^0.9 / 5^0.9; 160 x 5^0.8 / 5^0.9
    ],
)
def test_golden_quotes(people: int, servers: int, mean: float, p50: float, p80: float) -> None:
    answer = quote(people, servers, mean)
    assert answer.reason is None
    assert (answer.p50, answer.p80) == (pytest.approx(p50, abs=0.01), pytest.approx(p80, abs=0.01))


@pytest.mark.parametrize(("people", "idle"), [(0, 1), (1, 2), (0, 3)])
def test_an_idle_window_calls_at_once(people: int, idle: int) -> None:
    assert quote(people, 3, 190, idle=idle) == Quote(0.0, 60.0)


@pytest.mark.parametrize(("people", "idle"), [(0, 0), (1, 1), (4, 3)])
def test_who_finds_no_idle_window_is_quoted_as_ever(people: int, idle: int) -> None:
    assert quote(people, 3, 190, idle=idle) == quote(people, 3, 190)


def test_no_server_is_no_number() -> None:
    assert quote(3, 0, 190) == Quote(None, None, "no_server")


def test_p80_is_never_below_p50() -> None:
    odd = replace(START, p80=Coefficients(0.5, 0.8, -0.9))
    answer = quote(3, 2, 190, odd)
    assert answer.p80 == answer.p50


@given(st.integers(0, 500), st.integers(1, 50), st.floats(1, 3_600))
def test_more_people_wait_longer_and_more_windows_shorter(people: int, servers: int, mean: float) -> None:
    here, behind, staffed = (
        quote(people, servers, mean),
        quote(people + 1, servers, mean),
        quote(people, servers + 1, mean),
    )
    assert here.p50 is not None and here.p80 is not None
    assert 0 < here.p50 <= here.p80
    assert behind.p50 is not None and behind.p50 > here.p50
    assert staffed.p50 is not None and staffed.p50 < here.p50


@pytest.mark.parametrize("idle", [-1, 2])
def test_no_more_windows_are_idle_than_open(idle: int) -> None:
    with pytest.raises(ValueError, match="counted from 0"):
        quote(0, 1, 190, idle=idle)


@pytest.mark.parametrize(("people", "servers", "mean"), [(-1, 1, 190), (0, -1, 190), (0, 1, 0), (0, 1, float("nan"))])
def test_impossible_inputs_are_refused(people: int, servers: int, mean: float) -> None:
    with pytest.raises(ValueError, match="counted from 0"):
        quote(people, servers, mean)


def ticket(visit: str, seconds: int, head: int = 0) -> Waiting:
    return Waiting(visit, NINE + timedelta(seconds=seconds), head)


def test_the_people_ahead_by_issue_less_head_start() -> None:
    hall = [ticket("a", 0), ticket("b", 60), ticket("c", 100, 90), ticket("d", 200, 180), ticket("e", 201, 180)]
    # issue less head start: a 0, b 60, c 10, d 20, e 21
    assert [each.visit for each in sorted(hall, key=service_order)] == ["a", "c", "d", "e", "b"]
    assert [ahead(hall, each) for each in hall] == [0, 4, 1, 2, 3]
    assert ahead(hall, ticket("f", 300)) == 5
    assert ahead(hall, ticket("g", 210, 180)) == 4
    assert ahead([], hall[0]) == 0


def test_among_equals_the_first_issued_is_first() -> None:
    ordinary, care = ticket("b", 0), ticket("a", 90, 90)
    assert (ahead([ordinary, care], care), ahead([ordinary, care], ordinary)) == (1, 0)
    twin = ticket("c", 0)
    assert (ahead([ordinary, twin], twin), ahead([ordinary, twin], ordinary)) == (1, 0)


@given(st.lists(st.tuples(st.integers(0, 300), st.sampled_from([0, 90, 180])), max_size=12))
def test_the_places_of_a_hall_are_0_to_n(hall: list[tuple[int, int]]) -> None:
    tickets = [ticket(f"{number:03}", seconds, head) for number, (seconds, head) in enumerate(hall)]
    assert sorted(ahead(tickets, each) for each in tickets) == list(range(len(tickets)))
    assert [ahead(tickets, each) for each in sorted(tickets, key=service_order)] == list(range(len(tickets)))


def test_the_mean_moves_slowly_and_not_for_runaways() -> None:
    assert mean_service_after(190, 690) == pytest.approx(191.0)
    assert mean_service_after(190, 3_600) == pytest.approx(196.82)
    assert mean_service_after(190, 0) == mean_service_after(190, 3_601) == mean_service_after(190, -5) == 190


def test_parameters_are_data() -> None:
    assert QuoteParams.from_body(asdict(START)) == START


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 0}, "version"),
        ({"version": True}, "version"),
        ({"mean_rate": 1}, "mean_rate must be between 0 and 1"),
        ({"mean_service_seconds": 0}, "mean_service_seconds must be between 0 and 86400"),
        ({"longest_service_seconds": "1h"}, "longest_service_seconds must be a number"),
        ({"p50": {"factor": 0.7, "ahead": 0.9}}, "p50.servers is missing"),
        ({"p80": {"factor": -1, "ahead": 0.9, "servers": 0}}, "p80.factor must be between 0 and 100"),
        ({"p80": {"factor": 1, "ahead": float("inf"), "servers": 0}}, "p80.ahead must be between -5 and 5"),
        ({"mean_service_seconds": 10**400}, "mean_service_seconds must be between"),
        ({"mean_service_seconds": float("nan")}, "mean_service_seconds must be between"),
        ({"p80": None}, "p80 must be an object"),
        ({"p90": {}}, "not known"),
    ],
)
def test_a_wrong_parameter_is_named(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        QuoteParams.from_body({**asdict(START), **change})
