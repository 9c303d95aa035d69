"""What the metrics hear beside the facts: units that come or move."""

from collections.abc import Sequence
from typing import Final

from services.aggregator.metrics import subtotals
from shared.contracts.staff import UnitState
from shared.db.uow import Uow
from shared.events.envelope import Event
from shared.events.handlers import Handler, project


@project(UnitState)
async def project_places(uow: Uow, events: Sequence[Event[UnitState]]) -> None:
    """Count the figures of units (机构) for the units above them, where the directory has just put them."""
    await subtotals.place(uow, sorted({event.data.unit for event in events}))


HANDLERS: Final[tuple[Handler, ...]] = (project_places,)
