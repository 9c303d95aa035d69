"""Routes of responses."""

from services.surveys.auth import LinkHolder, Links
from services.surveys.responses import service
from services.surveys.responses.schemas import ResponseReceipt, ResponseRequest
from shared.db.uow import Uow
from shared.security.scopes import public
from shared.web.fields import LinkToken
from shared.web.routing import ServiceRouter

router = ServiceRouter("surveys", "responses")


@router.post(
    "/invitations/{token}/response",
    status_code=201,
    dependencies=[public("the link is the customer's only key, and answers once")],
)
async def submit_response(
    uow: Uow, holder: LinkHolder, links: Links, token: LinkToken, command: ResponseRequest
) -> ResponseReceipt:
    """Rate the visit (评价): once per invitation, each score on its item's scale."""
    await service.submit(uow, links.token_hash(token), command.answers)
    return ResponseReceipt()
