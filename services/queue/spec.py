"""What the queue service is made of."""

from services.queue.base import QueueModel
from services.queue.catalogue.api import router as catalogue
from services.queue.desk.pages import router as desk
from services.queue.devices.api import router as devices
from services.queue.devices.door import Door
from services.queue.devices.pages import router as device_pages
from services.queue.devices.silence import listener
from services.queue.displays.pages import router as board
from services.queue.estimates.models import QuoteModel
from services.queue.hall.pages import router as hall
from services.queue.imports.api import router as imports
from services.queue.imports.worker import importer
from services.queue.kiosks.api import router as kiosks
from services.queue.kiosks.pages import router as kiosk_pages
from services.queue.live.pages import router as live
from services.queue.policies.api import router as policies
from services.queue.tickets.api import router as tickets
from services.queue.tickets.closing import closer
from services.queue.tickets.pages import router as ticket_pages
from services.queue.windows.api import router as windows
from services.queue.windows.closing import window_closer
from shared.spec import LoopSpec, ServiceSpec

__all__ = ["SPEC", "QuoteModel"]

SPEC = ServiceSpec(
    name="queue",
    routers=(tickets, windows, catalogue, kiosks, devices, imports, policies),
    metadata=QueueModel.metadata,
    migrations="services.queue.migrations",
    produces=("queue.events",),
    loops=(
        LoopSpec("close_day", closer, interval=60.0),
        LoopSpec("close_windows", window_closer, interval=60.0),
        LoopSpec("silent_devices", listener, interval=10.0),
        LoopSpec("imports", importer, interval=1.0),
    ),
    uploads=("/queue/v1/imports",),
    pages=(kiosk_pages, board, desk, hall, ticket_pages, device_pages, live),
    devices=Door,
)
