"""When a qualification counts; pure."""

from datetime import datetime
from enum import StrEnum


class QualificationStatus(StrEnum):
    """Where a qualification stands at an instant (未生效、有效、已过期、已撤销)."""

    PENDING = "pending"
    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"


def status_at(
    at: datetime, valid_from: datetime, valid_to: datetime, revoked_at: datetime | None
) -> QualificationStatus:
    """The status at ``at``: valid when ``valid_from <= at < valid_to`` and not revoked by then.

    A revocation is final: it outweighs the period on both sides.
    """
    if revoked_at is not None and revoked_at <= at:
        return QualificationStatus.REVOKED
    if at < valid_from:
        return QualificationStatus.PENDING
    return QualificationStatus.VALID if at < valid_to else QualificationStatus.EXPIRED
