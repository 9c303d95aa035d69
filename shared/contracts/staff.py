"""Events of the staff service: the directory (机构与人员名录), full state per entity on a compacted topic."""

from enum import StrEnum
from typing import ClassVar

from shared.contracts.base import Clock, Code, EventData, Ref, Time, Zone


class UnitKind(StrEnum):
    """The levels of the organisation tree (总行、分行、支行网点)."""

    HEAD_OFFICE = "head_office"
    REGION = "region"
    BRANCH = "branch"


class UnitState(EventData):
    """A node of the organisation (机构) as it now is; ``path`` lists the ids from the root, ``/hq/prov-gd/gz-001/``."""

    event_type: ClassVar[str] = "staff.unit.changed.v1"
    topic: ClassVar[str] = "staff.directory"

    unit: Ref
    parent: Ref | None
    path: Ref
    kind: UnitKind
    code: Code
    zone: Zone
    cutoff: Clock
    valid_from: Time
    valid_to: Time | None


class PersonState(EventData):
    """A member of staff (员工) as they now are; the name stays in the staff service."""

    event_type: ClassVar[str] = "staff.person.changed.v1"
    topic: ClassVar[str] = "staff.directory"

    person: Ref
    unit: Ref
    post: Code
    active: bool


class QualificationState(EventData):
    """A qualification (岗位资格) as it now is: valid when ``valid_from <= now < valid_to`` and not revoked before."""

    event_type: ClassVar[str] = "staff.qualification.changed.v1"
    topic: ClassVar[str] = "staff.directory"

    qualification: Ref
    person: Ref
    code: Code
    valid_from: Time
    valid_to: Time
    revoked_at: Time | None
