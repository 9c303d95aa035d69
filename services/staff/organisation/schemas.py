"""Requests and replies about units."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.staff.fields import Instant, unchanged
from shared.contracts.staff import UnitKind
from shared.web.fields import CodeField, Command, Text

Cutoff = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
"""When the business day changes (日切时间), HH:MM of the unit's zone."""

ZoneName = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_+/-]+$")]
"""A zone of the IANA data base."""


class UnitNames(BaseModel):
    """What the unit is called (机构名称)."""

    model_config = ConfigDict(extra="forbid")

    zh: Text
    en: Text


class NewUnit(Command):
    """A unit to be created; ``id`` is the code unless given, ``valid_from`` is now unless given."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "gz-001",
                    "parent": "prov-gd",
                    "kind": "branch",
                    "names": {"zh": "广州天河支行", "en": "Guangzhou Tianhe Branch"},
                    "zone": "Asia/Shanghai",
                    "cutoff": "00:00",
                }
            ]
        }
    )

    id: CodeField | None = None
    code: CodeField
    parent: CodeField | None = None
    kind: UnitKind
    names: UnitNames
    zone: ZoneName = "Asia/Shanghai"
    cutoff: Cutoff = "00:00"
    valid_from: Instant | None = None
    valid_to: Instant | None = None


class UnitChange(Command):
    """What changes of a unit; what is left out stays. ``valid_to`` null reopens it without an end."""

    model_config = ConfigDict(json_schema_extra={"example": {"cutoff": "02:00"}})

    names: UnitNames = unchanged()
    zone: ZoneName = unchanged()
    cutoff: Cutoff = unchanged()
    valid_to: Instant | None = unchanged()


class Unit(BaseModel):
    """A unit of the organisation (机构)."""

    id: str
    code: str
    parent: str | None
    path: str = Field(examples=["/hq/prov-gd/gz-001/"])
    kind: UnitKind
    names: UnitNames
    zone: str
    cutoff: str
    valid_from: datetime
    valid_to: datetime | None
    version: int

    @classmethod
    def of(cls, row: Any) -> "Unit":
        """The view of a row."""
        fields = row._asdict()
        return cls(names=UnitNames(zh=fields.pop("name_zh"), en=fields.pop("name_en")), **fields)
