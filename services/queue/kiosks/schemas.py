"""Requests and replies of the kiosks."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from services.queue.catalogue.schemas import Names
from services.queue.kiosks.rules import SIZE, Rejection
from shared.web.fields import CodeField, Command

Number = Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,2}[0-9]{3,6}$")]


class LeaseRequest(Command):
    """A kiosk asks for numbers of one service, to give out while it is cut off (号段租约)."""

    unit: CodeField = Field(examples=["gz-001"])
    service: CodeField = Field(examples=["cash"])
    count: int = Field(default=SIZE, ge=1, le=SIZE)


class LeasedNumber(BaseModel):
    """A number that the kiosk may give out, with the visit it will be, its link, and the code to draw."""

    number: str
    id: str
    token: str
    qr: str = Field(description="Side of the code and its modules as bits: `33:<base64>`")


class LeaseView(BaseModel):
    """Numbers on loan until the business day ends."""

    id: str
    unit: str
    service: str
    prefix: str
    business_date: date
    expires_at: AwareDatetime
    signature: str
    server_now: AwareDatetime
    numbers: list[LeasedNumber]


class QuoteTold(Command):
    """What the customer was told at the kiosk."""

    ahead: int | None = Field(default=None, ge=0, le=100_000)
    p50: int | None = Field(default=None, ge=0, le=86_400)
    p80: int | None = Field(default=None, ge=0, le=86_400)


class KioskAct(Command):
    """Something that happened at the kiosk: ``seq`` is its order there, ``device_time`` and ``offset_ms`` its time."""

    id: CodeField
    seq: int = Field(ge=1, le=2**53)
    kind: Literal["issue", "help"]
    device_time: AwareDatetime
    offset_ms: int = Field(default=0, ge=-(10**12), le=10**12)
    lease: CodeField | None = None
    signature: str | None = Field(default=None, max_length=64)
    number: Number | None = None
    told: QuoteTold = QuoteTold()


class SyncRequest(Command):
    """What happened at a kiosk, oldest first (离线补传)."""

    unit: CodeField = Field(examples=["gz-001"])
    actions: list[KioskAct] = Field(min_length=1, max_length=50)


class SyncResult(BaseModel):
    """What became of an action. A replayed one had been carried out before; a rejected one needs staff."""

    id: str
    result: Literal["applied", "replayed", "rejected"]
    reason: Rejection | None = None
    visit: str | None = None


class SyncReply(BaseModel):
    """A result for each action, in their order."""

    results: list[SyncResult]
    server_now: AwareDatetime


class ServiceWait(BaseModel):
    """The wait for who takes a number of this service now; ``next`` are the (p50, p80) of the places after."""

    service: str
    names: Names
    ahead: int
    windows: int
    p50: int | None
    p80: int | None
    next: list[tuple[int, int]]


class Waits(BaseModel):
    """How long one waits at a branch now."""

    server_now: AwareDatetime
    services: list[ServiceWait]


class HelpCallView(BaseModel):
    """A customer asked for a person; ``device`` says at which kiosk."""

    id: str
    unit: str = Field(examples=["gz-001"])
    device: str
    asked_at: AwareDatetime
    answered_at: AwareDatetime | None
    answered_by: str | None = Field(description="Who went to the customer")

    @classmethod
    def of(cls, row: Any) -> "HelpCallView":
        """From a row of the table."""
        return cls(**{name: getattr(row, name) for name in cls.model_fields})
