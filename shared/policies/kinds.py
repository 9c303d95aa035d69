"""A kind of policy: its name, and the model of its body, whose defaults hold until somebody decides."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict


class PolicyBody(BaseModel):
    """What a policy decides; every field has the value with which the bank starts. A field states its unit."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


B = TypeVar("B", bound=PolicyBody)


@dataclass(frozen=True, slots=True)
class PolicyKind(Generic[B]):
    """``name`` is told in the API, ``body`` is what a row of this kind holds."""

    name: str
    body: type[B]
