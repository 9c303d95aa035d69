"""Who may call what in the queue service; a route's signature names one of these."""

from typing import Annotated

from shared.security.principal import Principal
from shared.security.scopes import scope

_HALL = ("teller", "branch_manager", "head_office")
_ALL = ("kiosk", "app", "integration", "auditor", "operator", *_HALL)

ReadCatalogue = Annotated[Principal, scope("queue:catalogue:read", *_ALL)]
WriteCatalogue = Annotated[Principal, scope("queue:catalogue:write", "head_office")]
OfferServices = Annotated[Principal, scope("queue:catalogue:offer", "head_office", "branch_manager")]
ReadHall = Annotated[Principal, scope("queue:hall:read", *_ALL)]
IssueTickets = Annotated[
    Principal, scope("queue:tickets:issue", "kiosk", "app", "teller", "branch_manager", "integration")
]
LeaveQueue = Annotated[
    Principal, scope("queue:tickets:leave", "kiosk", "app", "teller", "branch_manager", "integration")
]
ReadVisits = Annotated[Principal, scope("queue:visits:read", "kiosk", "app", "integration", "auditor", *_HALL)]
ServeVisits = Annotated[Principal, scope("queue:visits:serve", "teller", "branch_manager")]
RunWindow = Annotated[Principal, scope("queue:windows:run", "teller", "branch_manager")]
SetUpWindows = Annotated[Principal, scope("queue:windows:set-up", "head_office", "branch_manager")]
Override = Annotated[Principal, scope("queue:overrides:grant", "branch_manager", "head_office")]
RunKiosk = Annotated[Principal, scope("queue:kiosks:run", "kiosk")]
ReadWaits = Annotated[Principal, scope("queue:waits:read", "kiosk", "app", *_HALL)]
AnswerHelp = Annotated[Principal, scope("queue:help:answer", "teller", "branch_manager")]
SetUpDevices = Annotated[Principal, scope("queue:devices:set-up", "branch_manager", "head_office")]
ActAsDevice = Annotated[Principal, scope("queue:devices:act", "kiosk", "board")]
ReadBoard = Annotated[Principal, scope("queue:board:read", "board", *_HALL)]
DecidePolicies = Annotated[Principal, scope("queue:policies:decide", "head_office")]
ReadPolicies = Annotated[
    Principal, scope("queue:policies:read", "branch_manager", "head_office", "auditor", "operator")
]
AskContact = Annotated[Principal, scope("queue:visits:contact", "service")]
FollowTickets = Annotated[Principal, scope("queue:tickets:follow", "service")]
ImportHistory = Annotated[Principal, scope("queue:imports:write", "integration", "head_office", "operator")]
ReadImports = Annotated[Principal, scope("queue:imports:read", "integration", "head_office", "operator", "auditor")]
