"""From rows of devices to what is told and shown."""

from typing import Any

from services.queue.devices.rules import DeviceKind, DeviceState
from services.queue.devices.schemas import DeviceView


def name_of(device: Any) -> str:
    """What staff call a device: its label, or the end of its id."""
    return str(device.label or device.id[-6:])


def shown(row: Any) -> DeviceView:
    """A device for staff."""
    return DeviceView(
        id=row.id,
        kind=DeviceKind(row.kind),
        state=DeviceState(row.state),
        label=row.label,
        seen_at=row.seen_at,
        silent=row.silent,
        twice_at=row.twice_at,
        build=row.build,
        outbox=row.outbox,
        lease_left=row.lease_left,
    )
