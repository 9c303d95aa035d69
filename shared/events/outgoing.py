"""An event on its way out, before it has an identity."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from shared.contracts.base import EventData

Origin = Literal["live", "import"]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """``occurred_at`` is when it happened; the producer's storing time is added by the outbox."""

    data: EventData
    subject: str
    occurred_at: datetime
    origin: Origin = "live"
