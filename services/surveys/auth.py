"""Who may call the surveys service. Customers hold a link token of 128 bits and no bearer token."""

from typing import Annotated

from fastapi import Depends, Request

from shared.security.keyring import Keyring
from shared.security.principal import Principal
from shared.security.scopes import PRINCIPAL, scope
from shared.web.fields import LinkToken

WriteQuestionnaires = Annotated[Principal, scope("surveys:questionnaires:write", "head_office")]
ReadQuestionnaires = Annotated[
    Principal, scope("surveys:questionnaires:read", "branch_manager", "head_office", "auditor")
]
ReadInvitations = Annotated[
    Principal, scope("surveys:invitations:read", "kiosk", "teller", "app", "integration", "branch_manager")
]
WriteInvitationRules = Annotated[Principal, scope("surveys:invitation-rules:write", "head_office")]
ReadInvitationRules = Annotated[
    Principal, scope("surveys:invitation-rules:read", "branch_manager", "head_office", "auditor")
]
ReadScores = Annotated[Principal, scope("surveys:scores:read", "branch_manager", "head_office", "auditor")]

HANDS_OUT_LINKS = frozenset({"kiosk", "app", "integration"})
"""Roles that carry the link to the customer. The people who are rated see the invitation without its link (1.2e)."""


def _links(request: Request) -> Keyring:
    keyring: Keyring = request.app.state.keyring
    return keyring


Links = Annotated[Keyring, Depends(_links)]
"""Derives link tokens and their hashes."""


async def _holder(request: Request, token: LinkToken, links: Links) -> Principal:
    principal = Principal(f"link:{links.token_hash(token)}", None, frozenset(), ())
    request.scope[PRINCIPAL] = principal
    return principal


LinkHolder = Annotated[Principal, Depends(_holder)]
"""The holder of a link is a caller of their own, so that two customers' equal Idempotency-Keys stay independent."""
