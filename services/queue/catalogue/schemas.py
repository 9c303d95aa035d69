"""Requests and replies of the catalogue."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints, model_validator

from shared.web.fields import CodeField, Command, Text


class Names(Command):
    """A name in both languages."""

    zh: Text = Field(examples=["现金业务"])
    en: Text = Field(examples=["Cash"])


class MaterialKind(StrEnum):
    """How a material is required (必备、任选其一、视情况)."""

    REQUIRED = "required"
    ONE_OF = "one_of"
    CONDITIONAL = "conditional"


class MaterialForm(StrEnum):
    """In which form it is handed in (原件、复印件)."""

    ORIGINAL = "original"
    COPY = "copy"
    ORIGINAL_AND_COPY = "original_and_copy"


class Material(Command):
    """One line of the materials list (所需材料).

    ``group`` binds the alternatives of a one-of, ``condition`` says when a conditional one is needed.
    """

    code: CodeField
    names: Names
    kind: MaterialKind
    form: MaterialForm
    group: CodeField | None = None
    condition: Names | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind is MaterialKind.ONE_OF and self.group is None:
            raise ValueError("a one_of material names its group")
        if self.kind is MaterialKind.CONDITIONAL and self.condition is None:
            raise ValueError("a conditional material states its condition")
        return self


class Step(Command):
    """One step of the service's process (办理环节)."""

    code: CodeField
    names: Names


class ServiceDefinition(Command):
    """A service as head office defines it; publishing without materials list, duration or steps is refused (2.1b)."""

    names: Names
    prefix: Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,2}$")] = Field(examples=["A"])
    required_qualification: CodeField | None = None
    expected_minutes: int = Field(ge=1, le=480)
    materials: list[Material] = Field(min_length=1, max_length=40)
    steps: list[Step] = Field(min_length=1, max_length=40)


class ServiceView(BaseModel):
    """A service of the catalogue."""

    code: str
    version: int
    names: Names
    prefix: str
    required_qualification: str | None
    expected_minutes: int
    materials: list[Material]
    steps: list[Step]


class Offer(Command):
    """Whether the branch offers the service."""

    offered: bool = Field(default=True, examples=[True])


class OfferView(BaseModel):
    """The branch's offer of a service."""

    unit: str
    service: str
    offered: bool


class ClassDefinition(Command):
    """A ticket class from ``effective_from`` on (now if not given): its head start, and the evidence staff ask for."""

    names: Names
    head_start_seconds: int = Field(ge=0, le=7200)
    evidence: CodeField = Field(examples=["none", "senior_card"])
    effective_from: AwareDatetime | None = None


class ClassView(BaseModel):
    """A ticket class in force."""

    code: str
    names: Names
    head_start_seconds: int
    evidence: str
    effective_from: AwareDatetime
