"""Requests and replies of tickets and visits."""

from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from shared.contracts.queue import Channel, VisitStatus
from shared.web.fields import CodeField, Command

Phone = Annotated[str, StringConstraints(pattern=r"^\+?[0-9][0-9 -]{4,24}$")]


class Contact(Command):
    """How the customer may be reached; encrypted, never shown without a stated purpose."""

    phone: Phone = Field(examples=["13800001234"])


class TicketRequest(Command):
    """What the customer wants (取号)."""

    service: CodeField = Field(examples=["cash"])
    channel: Literal["kiosk", "app", "staff", "phone"] | None = Field(
        default=None, description="Without one: staff for staff, kiosk for everybody else", examples=["kiosk"]
    )
    ticket_class: CodeField = Field(default="ordinary", alias="class", examples=["ordinary"])
    contact: Contact | None = None


class Quote(BaseModel):
    """The wait to expect in seconds: half of the customers wait at most p50, four of five at most p80."""

    p50: int | None
    p80: int | None
    reason: str | None = None


class Ticket(BaseModel):
    """A ticket as issued."""

    id: str
    number: str
    status: VisitStatus
    unit: str
    business_date: date
    service: str
    ticket_class: str = Field(serialization_alias="class")
    issued_at: AwareDatetime
    ahead: int
    quote: Quote
    token: str
    print: list[str]
    qr: str


class TicketVisit(BaseModel):
    """The visit behind a ticket's link, as other services see it."""

    visit: str
    status: VisitStatus
    channel: Channel


class VisitView(BaseModel):
    """A visit as it stands."""

    id: str
    number: str
    status: VisitStatus
    unit: str
    business_date: date
    service: str
    ticket_class: str = Field(serialization_alias="class")
    channel: str
    issued_at: AwareDatetime
    called_at: AwareDatetime | None
    started_at: AwareDatetime | None
    finished_at: AwareDatetime | None
    left_at: AwareDatetime | None
    end_cause: str | None
    wait_seconds: int | None
    handling_seconds: int | None
    calls: int
    window: str | None
    staff_id: str | None
    allowed: list[str]
    version: int


class WaitingView(BaseModel):
    """One who waits, in the order of calling; ``order_at`` is the issue time less the class's head start."""

    id: str
    number: str
    service: str
    ticket_class: str = Field(serialization_alias="class")
    issued_at: AwareDatetime
    order_at: AwareDatetime


class TicketStatus(BaseModel):
    """What the holder of a ticket's link may see: no personal data. ``next_poll_s``: ask again after so many seconds;
    null when there is nothing more to hear."""

    number: str
    status: VisitStatus
    service: str
    window: str | None
    ahead: int | None
    quote: Quote | None
    next_poll_s: int | None


class ContactLeft(BaseModel):
    """Whether the visit's customer left a contact; not the contact itself."""

    left: bool
