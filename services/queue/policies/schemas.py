"""Requests of the policies."""

from typing import Literal

from pydantic import Field

from services.queue.policies.kinds import HallPolicy
from shared.policies.schemas import PolicyRequest


class HallPolicyRequest(PolicyRequest[HallPolicy]):
    """How long a hall waits for things that nobody ends, for a unit and all below it (厅堂时限)."""

    kind: Literal["queue.hall"]
    body: HallPolicy = Field(examples=[{"help_waits_minutes": 60}])
