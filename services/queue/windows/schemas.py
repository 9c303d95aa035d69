"""Requests and replies of the windows."""

from datetime import date
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field

from services.queue.windows.rules import WindowState
from shared.web.fields import CodeField, Command, Text

Services = Annotated[list[CodeField], Field(min_length=1, max_length=60, examples=[["cash", "account"]])]


class WindowSetUp(Command):
    """A window of the branch; ``services`` limits what it serves unless a teller names fewer."""

    services: Services | None = None


class OpenWindow(Command):
    """Open for these services; without them for all that the window is set up for."""

    services: Services | None = None


class WindowView(BaseModel):
    """A window as it stands."""

    no: str
    state: WindowState
    staff_id: str | None
    services: list[str]
    visit: str | None
    opened_at: AwareDatetime | None
    version: int


class OverrideRequest(Command):
    """Let ``staff`` work without ``qualification`` until the end of the branch's business day."""

    staff: CodeField = Field(examples=["T0205"])
    qualification: CodeField = Field(examples=["counter"])
    reason: Text = Field(examples=["持证人员突发疾病,分行已批准"])


class OverrideView(BaseModel):
    """An override as recorded; its reason stays sealed."""

    id: str
    unit: str
    staff: str
    qualification: str
    business_date: date
    granted_by: str
    granted_at: AwareDatetime
