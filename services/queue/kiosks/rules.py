"""Rules of leases and of what kiosks report."""

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

from services.queue.tickets.rules import ticket_number
from shared.directory.business_day import business_date
from shared.ids import uuid5

SIZE: Final = 40
"""Numbers a lease holds: more than a busy hour of one service at one kiosk."""

OLDEST: Final = timedelta(hours=24)
"""A report of an earlier time is no report of a kiosk any more."""

PURPOSE: Final = "kiosk_lease"


class Rejection(StrEnum):
    """Why an action of a kiosk was not carried out; staff look after its customer."""

    UNKNOWN_LEASE = "unknown_lease"
    FORGED_LEASE = "forged_lease"
    LEASE_EXPIRED = "lease_expired"
    NUMBER_NOT_LEASED = "number_not_leased"
    NUMBER_USED = "number_used"
    SERVICE_NOT_OFFERED = "service_not_offered"
    TOO_OLD = "too_old"


class LeaseRow(Protocol):
    """What the rules see of a lease."""

    id: str
    unit: str
    device: str
    service: str
    prefix: str
    business_date: date
    first: int
    count: int
    issued_at: datetime
    expires_at: datetime


class Numbered(NamedTuple):
    """A number of a lease with the visit it will be."""

    number: str
    visit: str


def numbers(lease: LeaseRow) -> list[Numbered]:
    """Every number of the lease in order; visit ids follow from the lease, so that nothing else has to be kept."""
    counts = range(lease.first, lease.first + lease.count)
    return [Numbered(ticket_number(lease.prefix, n), uuid5("lease", lease.id, str(n))) for n in counts]


def signed(lease: LeaseRow) -> str:
    """The text that a lease's signature covers: all that it grants."""
    parts = (lease.id, lease.unit, lease.device, lease.service, lease.prefix, lease.business_date, lease.first,
             lease.count, int(lease.expires_at.timestamp()))  # fmt: skip
    return "|".join(map(str, parts))


def day_ends(now: datetime, zone: str, cutoff: str) -> datetime:
    """The first whole minute that belongs to the next business day: what is lent today is not given out tomorrow."""
    today = business_date(now, zone, cutoff)
    low = now.replace(second=0, microsecond=0)
    high = low + timedelta(hours=50)
    while high - low > timedelta(minutes=1):
        middle = low + (high - low) // 2
        middle = middle.replace(second=0, microsecond=0)
        if business_date(middle, zone, cutoff) > today:
            high = middle
        else:
            low = middle
    return high


class Timing(NamedTuple):
    """When an action happened by our clock, and how far the device's own clock was off, in seconds (ahead: above 0)."""

    at: datetime
    skew_seconds: int


def timing(device_time: datetime, offset_ms: int, earliest: datetime, now: datetime) -> Timing:
    """``offset_ms`` is what the device must add to its clock to get ours, measured at its last contact before the act.

    A device's clock is never a reason to refuse: what cannot be (before the lease was made, or in the future) is moved
    to the nearest time that can.
    """
    at = min(max(device_time + timedelta(milliseconds=offset_ms), earliest), now)
    return Timing(at, round((device_time - at).total_seconds()))


def rejection(
    lease: LeaseRow | None, *, device: str, genuine: bool, lent: bool, at: datetime, now: datetime
) -> Rejection | None:
    """Why a ticket from ``lease`` cannot be: None when it can. ``lent`` says whether its number is one of the lease."""
    if lease is None or lease.device != device:
        return Rejection.UNKNOWN_LEASE
    if not genuine:
        return Rejection.FORGED_LEASE
    if not lent:
        return Rejection.NUMBER_NOT_LEASED
    if at >= lease.expires_at:
        return Rejection.LEASE_EXPIRED
    if now - at > OLDEST:
        return Rejection.TOO_OLD
    return None
