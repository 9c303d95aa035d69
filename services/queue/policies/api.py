"""Routes of the policies."""

from services.queue.auth import DecidePolicies, ReadPolicies
from services.queue.policies.schemas import HallPolicyRequest
from shared.db.uow import Reads, Uow
from shared.policies import planning
from shared.policies.schemas import PolicyView
from shared.web.paging import Page, Paging
from shared.web.routing import ServiceRouter

router = ServiceRouter("queue", "policies")


@router.post("/policies", status_code=201)
async def plan_policy(uow: Uow, actor: DecidePolicies, command: HallPolicyRequest) -> PolicyView:
    """Decide a policy for a unit and all below it, from an instant that is not past (政策参数)."""
    return await planning.plan(uow, actor, command)


@router.get("/policies")
async def list_policies(reads: Reads, actor: ReadPolicies, asked: Paging) -> Page[PolicyView]:
    """Every policy that ever held or will, in the order of deciding."""
    return await planning.planned(reads, asked)
