"""Rules of invitations."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.surveys.invitations import rules
from services.surveys.invitations.rules import Delivery, InvitationStatus

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@given(st.integers(1, 366), st.timedeltas(timedelta(0), timedelta(days=400)))
def test_an_invitation_is_open_up_to_and_with_its_last_instant(days, passed):
    last = rules.expiry(NOW, days)
    seen = rules.state_at("open", last, NOW + passed)
    assert seen is (InvitationStatus.OPEN if passed <= timedelta(days=days) else InvitationStatus.EXPIRED)
    assert rules.state_at("answered", last, NOW + passed) is InvitationStatus.ANSWERED


@given(st.integers(0, 10**9))
def test_waits_between_tries_grow_up_to_an_hour(tries):
    assert rules.FIRST_RETRY <= rules.retry_after(tries) <= rules.retry_after(tries + 1) <= rules.LONGEST_RETRY


def test_the_first_waits():
    assert [rules.retry_after(n).total_seconds() for n in (1, 2, 3, 4)] == [5, 10, 20, 40]


@pytest.mark.parametrize(
    ("answer", "delivery"),
    [({"left": True}, Delivery.CONTACT), ({"left": False}, Delivery.SLIP), (None, Delivery.SLIP), ({}, Delivery.SLIP)],
)
def test_only_a_contact_that_was_left_is_used(answer, delivery):
    assert rules.delivery_of(answer) is delivery
