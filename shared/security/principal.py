"""The caller of a request, as its verified token describes it (主体)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

DEVICE_TOKEN: Final = "dev_"  # noqa: S105 - how such tokens begin
"""What the short token of a device begins with; no JWT does."""


class Role(StrEnum):
    """What a token's holder is; scopes name the roles they admit (角色)."""

    KIOSK = "kiosk"
    TELLER = "teller"
    BRANCH_MANAGER = "branch_manager"
    HEAD_OFFICE = "head_office"
    APP = "app"
    INTEGRATION = "integration"
    AUDITOR = "auditor"
    OPERATOR = "operator"
    BOARD = "board"
    SERVICE = "service"
    """Another service of the house, asking for a protected part by HTTP (claim check)."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls.

    ``sub`` is the token's subject and the actor of audit rows; ``staff_id`` the employee, None for machines;
    ``units`` the ids of the organisation nodes below which the caller may see and act (``*``: everywhere);
    ``client`` the program the token was given to, '' if it does not say; ``expires_at`` the token's end, so that a
    long stream can be closed with it (None only where a principal is made without a token).
    """

    sub: str
    staff_id: str | None
    roles: frozenset[str]
    units: tuple[str, ...]
    client: str = ""
    expires_at: datetime | None = None

    def has(self, *roles: str) -> bool:
        """Whether the caller holds at least one of ``roles``."""
        return not self.roles.isdisjoint(roles)
