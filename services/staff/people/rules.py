"""Why a protected part of a person's record may be read; pure."""

from enum import StrEnum


class RevealPurpose(StrEnum):
    """The purposes for which a name, or a reason given about a person, may be revealed (查询用途)."""

    CUSTOMER_COMPLAINT = "customer_complaint"
    AUDIT = "audit"
    HR = "hr"
    INVESTIGATION = "investigation"
