"""What other services ask about the sessions that are kept here."""

from typing import Annotated

from fastapi import Query, Request

from services.staff.auth import ReadSessions
from shared.web.problems import NotFound
from shared.web.routing import ServiceRouter
from shared.web.sessions_elsewhere import SessionId, SessionState

router = ServiceRouter("staff", "sessions")


@router.get("/sessions/{session}")
async def get_session(
    request: Request,
    caller: ReadSessions,
    session: SessionId,
    act: Annotated[bool, Query(description="The person acts: the session starts to idle anew")] = False,
) -> SessionState:
    """A session that stands, by the hash of its cookie; 404 when it has ended."""
    found = await request.app.state.sessions.by_id(session, act=act)
    if found is None:
        raise NotFound()
    return SessionState.of(found)
