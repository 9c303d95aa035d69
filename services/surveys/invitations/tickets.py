"""From a ticket's link to the invitation of its visit: whoever holds the slip may rate (凭号票评价).

Queue is asked which visit it is, outside any unit of work.
"""

from typing import Annotated, NamedTuple

from fastapi import Depends, Request

from services.surveys.invitations import queries
from services.surveys.invitations.errors import InvitationNotReady, NotServedYet, TakenByStaff
from shared.contracts.queue import Channel, VisitStatus
from shared.db.statements import Row
from shared.db.uow import Reads
from shared.web.client import PeerUnavailable
from shared.web.fields import LinkToken
from shared.web.problems import NotFound, Unavailable

PURPOSE = "rate_by_ticket"


class TicketLink(NamedTuple):
    """What queue says of a ticket's link."""

    visit: str
    status: VisitStatus
    channel: Channel


async def ask(request: Request, token: str) -> TicketLink | None:
    """The visit behind a ticket's link, None for an unknown one; 503 while queue does not answer."""
    peers = request.app.state.services["surveys"].peers
    if peers is None:
        raise Unavailable
    try:
        found = await peers.get(f"/queue/v1/t/{token}/visit", purpose=PURPOSE)
        if found is None:
            return None
        return TicketLink(str(found["visit"]), VisitStatus(found["status"]), Channel(found["channel"]))
    except (PeerUnavailable, KeyError, ValueError) as error:
        raise Unavailable from error


async def _behind(request: Request, token: LinkToken) -> TicketLink | None:
    return await ask(request, token)


BehindTicket = Annotated[TicketLink | None, Depends(_behind)]


async def invitation_of(reads: Reads, ticket: TicketLink | None) -> Row:
    """The invitation that the ticket's holder may answer.

    404 unknown link; 403 ``taken_by_staff``; 409 ``not_served_yet``, or ``invitation_not_ready`` while the visit's end
    has not arrived here or nothing is asked yet.
    """
    if ticket is None:
        raise NotFound
    if not ticket.channel.self_served:
        raise TakenByStaff
    if ticket.status is not VisitStatus.SERVED:
        raise NotServedYet
    row = await reads.one(queries.BY_VISIT, visit=ticket.visit)
    if row is None:
        raise InvitationNotReady
    return row
