"""Requests and replies of policies."""

from typing import Any, Generic

from pydantic import AwareDatetime, BaseModel, Field

from shared.policies.kinds import B
from shared.web.fields import CodeField, Command


class PolicyRequest(Command, Generic[B]):
    """From ``effective_from`` on (now if not given), ``body`` holds for ``unit`` and all below it that has none of its
    own. What is left out of the body has its usual value. A service names each kind: ``Literal["queue.hall"]``."""

    kind: CodeField
    unit: CodeField = Field(examples=["hq"])
    effective_from: AwareDatetime | None = Field(default=None, examples=["2027-04-01T00:00:00+08:00"])
    body: B


class PolicyView(BaseModel):
    """A policy as it was decided, and by whom; the newest that is past holds."""

    id: str
    kind: str = Field(examples=["queue.hall"])
    unit: str = Field(examples=["hq"])
    effective_from: AwareDatetime
    body: dict[str, Any]
    approved_by: str
    created_at: AwareDatetime
