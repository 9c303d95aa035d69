"""From rows to what is told and shown."""

from typing import Any

from services.queue.tickets.printing import minutes_to_expect
from services.queue.tickets.rules import allowed
from services.queue.tickets.schemas import VisitView, WaitingView
from shared.contracts.queue import Channel, VisitState, VisitStatus


def told(kind: type[VisitState], row: Any, staff_external: str | None = None) -> VisitState:
    """The event of type ``kind`` with the whole visit as it stands; an external staff reference only as a pseudonym."""
    return kind(
        visit=row.id,
        unit=row.unit,
        business_date=row.business_date,
        number=row.number,
        service=row.service,
        ticket_class=row.ticket_class,
        channel=row.channel,
        status=row.status,
        issued_at=row.issued_at,
        called_at=row.called_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        left_at=row.left_at,
        end_cause=row.end_cause,
        wait_seconds=row.wait_seconds,
        handling_seconds=row.handling_seconds,
        calls=row.calls,
        window=row.window,
        staff=row.staff,
        staff_external=staff_external,
    )


def shown(row: Any) -> VisitView:
    """The visit for staff."""
    return VisitView(
        id=row.id,
        number=row.number,
        status=row.status,
        unit=row.unit,
        business_date=row.business_date,
        service=row.service,
        ticket_class=row.ticket_class,
        channel=row.channel,
        issued_at=row.issued_at,
        called_at=row.called_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        left_at=row.left_at,
        end_cause=row.end_cause,
        wait_seconds=row.wait_seconds,
        handling_seconds=row.handling_seconds,
        calls=row.calls,
        window=row.window,
        staff_id=row.staff,
        allowed=allowed(row.status),
        version=row.version,
    )


def waiting(row: Any) -> WaitingView:
    """One who waits."""
    return WaitingView(
        id=row.id,
        number=row.number,
        service=row.service,
        ticket_class=row.ticket_class,
        issued_at=row.issued_at,
        order_at=row.order_at,
    )


def on_the_phone(seen: Any, service: Any, last: Any, *, today: bool) -> dict[str, Any]:
    """What the ticket's page shows: no id, no name. A ticket of an earlier day is ``expired``, however it ended."""
    visit, quote = seen.visit, seen.quote
    low, high = (None, None) if quote is None else minutes_to_expect(quote.p50, quote.p80)
    return {
        "number": visit.number,
        "state": visit.status if today else "expired",
        "service": {"name_zh": service.name_zh, "name_en": service.name_en} if service is not None else None,
        "window": visit.window,
        "ahead": seen.ahead,
        "low": low,
        "high": high,
        "last": [(row.number, row.window) for row in last],
        "next_poll": (seen.next_poll_s if today else None) or 0,
        "may_rate": visit.status == VisitStatus.SERVED and Channel(visit.channel).self_served,
        "may_leave": today and "leave" in allowed(visit.status),
    }
