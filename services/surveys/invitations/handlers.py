"""Reactions to the queue service: a completed visit invites its customer."""

from datetime import timedelta

from services.surveys.invitations import service
from shared.contracts.queue import VisitCompleted
from shared.db.uow import Uow
from shared.events.envelope import Event
from shared.events.handlers import react

FRESH = timedelta(days=2)
"""A visit told later than this is history: asking about it would annoy, not measure."""


@react(VisitCompleted, max_age=FRESH)
async def invite(uow: Uow, event: Event[VisitCompleted]) -> None:
    """Make the visit's one invitation; history is never invited, which the kit sees to."""
    await service.invite(uow, event.data, event.data.finished_at or event.time)
