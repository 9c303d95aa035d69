"""What kiosks are refused; what is refused of a reported action is a reason in its result, never a problem."""

from enum import StrEnum


class Rejection(StrEnum):
    """Why an action of a kiosk was not carried out; staff look after its customer."""

    UNKNOWN_LEASE = "unknown_lease"
    FORGED_LEASE = "forged_lease"
    LEASE_EXPIRED = "lease_expired"
    NUMBER_NOT_LEASED = "number_not_leased"
    NUMBER_USED = "number_used"
    SERVICE_NOT_OFFERED = "service_not_offered"
    TOO_OLD = "too_old"
