"""From events to facts, and from kept rows back to the same facts."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from services.aggregator.metrics.values import Fact, ResponseFact, VisitFact
from shared.arithmetic import whole_seconds
from shared.contracts.base import EventData
from shared.contracts.queue import VisitState
from shared.contracts.surveys import InvitationState
from shared.events.envelope import Event

D = TypeVar("D", bound=EventData)

CSAT_SCALE: Final = (1, 5)
"""The satisfaction rate is defined on this scale; items on another one are kept, and do not count for it."""


class Told(NamedTuple):
    """A fact with the row that keeps it."""

    fact: Fact
    row: Mapping[str, Any]


def newest(events: Sequence[Event[D]]) -> list[Event[D]]:
    """The newest event of each subject: each tells its subject whole, so that the others say nothing more."""
    found: dict[str, Event[D]] = {}
    for event in events:
        known = found.get(event.subject)
        if known is None or known.sequence < event.sequence:
            found[event.subject] = event
    return list(found.values())


def visit_told(event: Event[VisitState]) -> Told:
    """The fact of a visit's event."""
    data = event.data
    wait = data.wait_seconds
    if wait is None and data.called_at is None and data.left_at is not None:
        # Nobody called: the customer waited until they left.
        wait = whole_seconds(data.issued_at, data.left_at)
    # The member's own slot: twice as fast as the property, on the path of every event.
    state: Any = data.status._value_
    channel = data.channel._value_
    fact = VisitFact(
        event.subject, data.unit, data.business_date, data.service, data.ticket_class, channel, event.origin, state,
        data.issued_at, data.called_at, data.started_at, data.finished_at, data.left_at, wait, data.handling_seconds,
    )  # fmt: skip
    # The event's own members are the row's columns but for these; what is no column is not looked at.
    row = vars(data) | {
        "visit": event.subject,
        "sequence": event.sequence,
        "origin": event.origin,
        "state": state,
        "channel": channel,
        "wait_seconds": wait,
    }
    return Told(fact, row)


def visit_kept(row: Any) -> VisitFact:
    """The fact of a kept visit; the row's columns are key, sequence and the fact's other members in their order."""
    return VisitFact(row[0], *row[2:])


def response_told(event: Event[InvitationState]) -> Told:
    """The fact of an invitation's event; an answer tells of its invitation too, should that event come later."""
    data = event.data
    answers = [[each.item, each.dimension.value, each.score, each.scale_min, each.scale_max] for each in data.answers]
    row = {
        "invitation": event.subject,
        "sequence": event.sequence,
        "visit": data.visit,
        "unit": data.unit,
        "business_date": data.business_date,
        "service": data.service,
        "ticket_class": data.ticket_class,
        "questionnaire": data.questionnaire,
        "questionnaire_version": data.questionnaire_version,
        "invited_at": data.invited_at,
        "responded_at": data.responded_at,
        "answers": answers,
    }
    return Told(_response(row), row)


def response_kept(row: Any) -> ResponseFact:
    """The fact of a kept invitation."""
    return _response(row._asdict())


def _response(row: Mapping[str, Any]) -> ResponseFact:
    return ResponseFact(
        invitation=row["invitation"],
        visit=row["visit"],
        unit=row["unit"],
        business_date=row["business_date"],
        service=row["service"],
        ticket_class=row["ticket_class"],
        invited=True,
        responded=row["responded_at"] is not None,
        csat_items=tuple(score for _, _, score, low, high in row["answers"] if (low, high) == CSAT_SCALE),
    )
