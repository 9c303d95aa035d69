"""Requests and replies about qualifications."""

from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.staff.fields import Instant
from services.staff.qualifications.rules import QualificationStatus, status_at
from shared.web.fields import CodeField, Command, Text


class QualificationGrant(Command):
    """A qualification to be granted; ``evidence_ref`` points to the certificate, wherever the bank keeps it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "wealth",
                    "valid_from": "2026-01-01T00:00:00+08:00",
                    "valid_to": "2029-01-01T00:00:00+08:00",
                    "evidence_ref": "AFP-2026-0117",
                }
            ]
        }
    )

    code: CodeField
    valid_from: Instant
    valid_to: Instant
    evidence_ref: CodeField | None = None

    @model_validator(mode="after")
    def _ends_after_start(self) -> Self:
        if self.valid_to <= self.valid_from:
            raise ValueError("valid_to must be after valid_from")
        return self


class QualificationRevocation(Command):
    """Why it is taken back: free text, kept encrypted and told to nobody."""

    reason: Text = Field(examples=["考核未通过"])


class Qualification(BaseModel):
    """A qualification of a person (岗位资格), with its status at the time of the reply."""

    id: str
    person: str
    code: str
    status: QualificationStatus
    valid_from: datetime
    valid_to: datetime
    evidence_ref: str | None
    granted_by: str
    granted_at: datetime
    revoked_by: str | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, row: Any, now: datetime) -> "Qualification":
        """The view of a row at ``now``."""
        fields = {name: getattr(row, name) for name in cls.model_fields if name != "status"}
        return cls(status=status_at(now, row.valid_from, row.valid_to, row.revoked_at), **fields)


class RevealedReason(BaseModel):
    """The reason of a revocation in clear; null while the qualification is not revoked."""

    id: str
    reason: str | None
