"""Requests and replies about people."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StringConstraints

from services.staff.fields import unchanged
from services.staff.people.rules import RevealPurpose
from shared.web.fields import CodeField, Command, Text


def _one_line(value: str) -> str:
    if "\n" in value or "\t" in value:
        raise ValueError("a name is one line")
    return value


PersonName = Annotated[Text, StringConstraints(max_length=100), AfterValidator(_one_line)]
"""A person's name (姓名); personal data."""


class NewPerson(Command):
    """A member of staff to be created; the id is given by us unless the bank has its own."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"id": "T0001", "name": "李晓梅", "unit": "gz-001", "post": "teller"}]}
    )

    id: CodeField | None = None
    name: PersonName
    unit: CodeField
    post: CodeField
    active: StrictBool = True


class PersonChange(Command):
    """What changes of a person; what is left out stays."""

    model_config = ConfigDict(json_schema_extra={"example": {"unit": "gz-002", "post": "teller"}})

    name: PersonName = unchanged()
    unit: CodeField = unchanged()
    post: CodeField = unchanged()
    active: StrictBool = unchanged()


class Person(BaseModel):
    """A member of staff; ``name`` is masked (脱敏)."""

    id: str
    name: str = Field(examples=["李*"])
    unit: str
    post: str
    active: bool
    version: int

    @classmethod
    def of(cls, row: Any) -> "Person":
        """The view of a row."""
        return cls(
            id=row.id, name=row.name_masked, unit=row.unit, post=row.post, active=row.active, version=row.version
        )


class RevealRequest(Command):
    """Why the protected value is needed; goes to the audit log."""

    purpose: RevealPurpose


class RevealedName(BaseModel):
    """The name in clear."""

    id: str
    name: str
