"""Who may call what in the staff service. Every scope reaches only the caller's part of the organisation tree."""

from typing import Annotated

from shared.security.principal import Principal
from shared.security.scopes import scope

ReadUnits = Annotated[
    Principal,
    scope(
        "staff:units:read",
        "teller",
        "branch_manager",
        "head_office",
        "auditor",
        "integration",
        "operator",
        "kiosk",
        "app",
        "service",
    ),
]
WriteUnits = Annotated[Principal, scope("staff:units:write", "head_office")]

ReadPeople = Annotated[
    Principal,
    scope("staff:people:read", "teller", "branch_manager", "head_office", "auditor", "integration", "service"),
]
WritePeople = Annotated[Principal, scope("staff:people:write", "branch_manager", "head_office")]
RevealPeople = Annotated[Principal, scope("staff:people:reveal", "branch_manager", "head_office", "auditor")]

GrantQualifications = Annotated[Principal, scope("staff:qualifications:grant", "branch_manager", "head_office")]

ReadSessions = Annotated[Principal, scope("staff:sessions:read", "service")]
