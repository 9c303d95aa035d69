"""Organisation, people and qualifications (机构、人员、资质)."""

from typing import NotRequired, TypedDict


class NewUnit(TypedDict):
    """A unit of the organisation tree to be created: head office, province, branch. `cutoff` ends the business day."""

    id: str
    name: str
    kind: str
    parent: NotRequired[str | None]
    zone: NotRequired[str]
    cutoff: NotRequired[str]
    valid_from: NotRequired[str]
    valid_to: NotRequired[str | None]


class Unit(NewUnit):
    """A unit as it stands; `path` leads to it from the root of the tree."""

    path: NotRequired[str]
    version: NotRequired[int]


class NewPerson(TypedDict):
    """A member of staff to be created; the name is personal data and kept encrypted."""

    id: str
    name: str
    post: str
    unit: str


class Person(NewPerson):
    """A member of staff; `name` is masked."""

    version: NotRequired[int]


class NewQualification(TypedDict):
    """A qualification to be granted, valid while `valid_from` <= now < `valid_to` (RFC 3339, with offset)."""

    code: str
    valid_from: str
    valid_to: NotRequired[str | None]


class Qualification(NewQualification):
    """A qualification as it stands."""

    id: NotRequired[str]
    revoked_at: NotRequired[str | None]
