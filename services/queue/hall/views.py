"""From rows to what the hall page shows of its devices."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.queue.devices.rules import FEW, DeviceKind, DeviceState
from services.queue.devices.service import subject
from services.queue.devices.views import name_of


@dataclass(frozen=True, slots=True)
class Machine:
    """A kiosk or a board in use. ``outdated``: it runs another build than is served; ``few``: its numbers run out."""

    id: str
    kind: DeviceKind
    label: str
    silent: bool
    seen_at: datetime | None
    outbox: int
    lease_left: int | None
    outdated: bool
    few: bool


def machines(rows: Iterable[Any], build: str) -> list[Machine]:
    """The devices in use, those that want somebody first; ``build`` is what is served now."""
    found = [_machine(row, build) for row in rows if row.state == DeviceState.ACTIVE]
    return sorted(found, key=lambda each: (not each.silent, not each.few, not each.outbox, each.label))


def _machine(row: Any, build: str) -> Machine:
    kiosk = row.kind == DeviceKind.KIOSK
    return Machine(
        row.id,
        DeviceKind(row.kind),
        name_of(row),
        row.silent,
        row.seen_at,
        row.outbox or 0,
        row.lease_left if kiosk else None,
        bool(row.build) and row.build != build,
        kiosk and row.lease_left is not None and row.lease_left < FEW,
    )


def named(rows: Iterable[Any]) -> dict[str, str]:
    """The names of devices by what they act as."""
    return {subject(row.id): name_of(row) for row in rows}
