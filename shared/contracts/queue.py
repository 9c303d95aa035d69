"""Events of the queue service: visits (一次到店), windows (窗口), the catalogue, refused and overridden controls."""

from enum import StrEnum
from typing import ClassVar

from shared.contracts.base import Code, Day, EventData, Ref, Time


class VisitStatus(StrEnum):
    """Where a visit stands. ``served``, ``no_show`` and ``left`` are final."""

    WAITING = "waiting"
    CALLED = "called"
    SERVING = "serving"
    SERVED = "served"
    NO_SHOW = "no_show"
    LEFT = "left"


class Channel(StrEnum):
    """How the ticket was asked for."""

    KIOSK = "kiosk"
    APP = "app"
    STAFF = "staff"
    PHONE = "phone"
    IMPORT = "import"

    @property
    def self_served(self) -> bool:
        """Whether the customer took the ticket: its link was never in the hands of who is rated (guide 1.2e)."""
        return self in (Channel.KIOSK, Channel.APP)


class VisitState(EventData):
    """The whole visit as it stands after the event, so that no consumer joins streams to understand one.

    ``wait_seconds`` runs from issue to first call (0 when taken at once); ``handling_seconds`` is the time at the
    window that finished, None when unknown. ``staff`` is a person of the directory, ``staff_external`` the reference
    of an imported source. ``end_cause`` says who ended a visit that was not served: customer, staff, day_closed; one
    that was served with the cause day_closed was never finished by its teller: nobody knows when it ended.
    """

    topic: ClassVar[str] = "queue.events"

    visit: Ref
    unit: Ref
    business_date: Day
    number: Code
    service: Code
    ticket_class: Code
    channel: Channel
    status: VisitStatus
    issued_at: Time
    called_at: Time | None = None
    started_at: Time | None = None
    finished_at: Time | None = None
    left_at: Time | None = None
    end_cause: Code | None = None
    wait_seconds: int | None = None
    handling_seconds: int | None = None
    calls: int = 0
    window: Code | None = None
    staff: Ref | None = None
    staff_external: Code | None = None


class VisitOpened(VisitState):
    """A ticket was issued (取号)."""

    event_type: ClassVar[str] = "queue.visit.opened.v1"


class VisitCalled(VisitState):
    """The visit was called to a window, or called again (叫号)."""

    event_type: ClassVar[str] = "queue.visit.called.v1"


class VisitStarted(VisitState):
    """The service at the window began (开始办理)."""

    event_type: ClassVar[str] = "queue.visit.started.v1"


class VisitCompleted(VisitState):
    """The customer was served (办结)."""

    event_type: ClassVar[str] = "queue.visit.completed.v1"


class VisitNoShow(VisitState):
    """The customer was called and did not come (过号)."""

    event_type: ClassVar[str] = "queue.visit.no_show.v1"


class VisitAbandoned(VisitState):
    """The customer left while waiting (离开)."""

    event_type: ClassVar[str] = "queue.visit.abandoned.v1"


class WindowOpened(EventData):
    """A window was opened by a teller for some services (开窗)."""

    event_type: ClassVar[str] = "queue.window.opened.v1"
    topic: ClassVar[str] = "queue.events"

    unit: Ref
    window: Code
    staff: Ref
    services: tuple[Code, ...]
    opened_at: Time


class WindowClosed(EventData):
    """A window was closed (关窗)."""

    event_type: ClassVar[str] = "queue.window.closed.v1"
    topic: ClassVar[str] = "queue.events"

    unit: Ref
    window: Code
    staff: Ref | None
    closed_at: Time


class DeviceSilent(EventData):
    """A kiosk or a board has not been heard for three beats (设备失联); whether it is down others decide."""

    event_type: ClassVar[str] = "queue.device.silent.v1"
    topic: ClassVar[str] = "queue.events"

    unit: Ref
    device: Ref
    kind: Code
    seen_at: Time


class ServiceChanged(EventData):
    """A service of the catalogue has a new version (业务目录)."""

    event_type: ClassVar[str] = "queue.service.changed.v1"
    topic: ClassVar[str] = "queue.events"

    service: Code
    version: int
    prefix: Code
    required_qualification: Code | None
    expected_minutes: int


class ControlRefused(EventData):
    """A control refused an act, e.g. opening a window without the qualification (持证上岗)."""

    event_type: ClassVar[str] = "queue.control.refused.v1"
    topic: ClassVar[str] = "queue.events"

    unit: Ref
    control: Code
    object: Ref
    staff: Ref
    missing: tuple[Code, ...]
    at: Time


class ControlOverridden(EventData):
    """A manager let an act pass for the business day; the reason stays in the queue service."""

    event_type: ClassVar[str] = "queue.control.overridden.v1"
    topic: ClassVar[str] = "queue.events"

    unit: Ref
    control: Code
    object: Ref
    staff: Ref
    by: Ref
    business_date: Day
    at: Time
