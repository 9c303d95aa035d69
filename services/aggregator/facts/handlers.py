"""What the aggregator hears: visits, invitations and responses."""

from collections.abc import Sequence
from typing import Final

from services.aggregator.facts.kinds import RESPONSES, VISITS
from services.aggregator.facts.rules import newest, response_told, visit_told
from services.aggregator.facts.service import fold
from shared.contracts.queue import (
    VisitAbandoned,
    VisitCalled,
    VisitCompleted,
    VisitNoShow,
    VisitOpened,
    VisitStarted,
    VisitState,
)
from shared.contracts.surveys import InvitationSent, InvitationState, ResponseSubmitted
from shared.db.uow import Uow
from shared.events.envelope import Event
from shared.events.handlers import Handler, project


@project(VisitOpened, VisitCalled, VisitStarted, VisitCompleted, VisitNoShow, VisitAbandoned, states=True)
async def project_visits(uow: Uow, events: Sequence[Event[VisitState]]) -> None:
    """Fold visits (到访) into facts and cells."""
    await fold(uow, VISITS, [visit_told(event) for event in newest(events)])


@project(InvitationSent, ResponseSubmitted, states=True)
async def project_responses(uow: Uow, events: Sequence[Event[InvitationState]]) -> None:
    """Fold invitations and their answers (评价) into facts and cells."""
    await fold(uow, RESPONSES, [response_told(event) for event in newest(events)])


HANDLERS: Final[tuple[Handler, ...]] = (project_visits, project_responses)
