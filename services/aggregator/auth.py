"""Who may call what in the aggregator; a route's signature names one of these."""

from typing import Annotated

from shared.security.principal import Principal
from shared.security.scopes import scope

ReadMetrics = Annotated[
    Principal,
    scope("aggregator:metrics:read", "teller", "branch_manager", "head_office", "integration", "auditor", "operator"),
]
RebuildCells = Annotated[Principal, scope("aggregator:cells:rebuild", "operator")]
