"""Requests and replies of devices."""

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from services.queue.devices.rules import DeviceKind, DeviceState
from shared.web.fields import Command


class Heartbeat(Command):
    """What a device says of itself every 30 seconds."""

    build: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{0,64}$")] = Field(default="", examples=["4f2a91c07be3"])
    outbox: int = Field(default=0, ge=0, le=1_000_000, description="Acts that were not reported yet")
    lease_left: int = Field(
        default=0, ge=0, le=1_000_000, description="Numbers it may still give out, of the scarcest service"
    )


class HeartbeatReply(BaseModel):
    """The server's time, by which the device sets its own reckoning, and the build that is served."""

    server_now: AwareDatetime
    build: str


class DeviceView(BaseModel):
    """A device of a branch."""

    id: str
    kind: DeviceKind
    state: DeviceState
    label: str | None
    seen_at: AwareDatetime | None
    silent: bool
    twice_at: AwareDatetime | None = Field(
        default=None, description="When two machines spoke with its key at a time: a second tab, or a copied key"
    )
    build: str | None
    outbox: int | None
    lease_left: int | None
