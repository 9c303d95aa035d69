"""Tables of questionnaires (问卷). A version and its items never change once written; only its state moves."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field

from services.surveys.base import Base


class Questionnaire(Base, table=True):
    """A questionnaire's code and how many versions it has; its row serialises their numbering."""

    __tablename__ = "questionnaire"

    code: str = Field(primary_key=True)
    versions: int


class QuestionnaireVersion(Base, table=True):
    """One version: a draft until it is published, then immutable, in the end retired."""

    __tablename__ = "questionnaire_version"
    __table_args__ = (
        sa.CheckConstraint("state IN ('draft', 'published', 'retired')", name="state"),
        sa.Index("ix_questionnaire_version_effective_from", "effective_from"),
    )

    code: str = Field(primary_key=True, foreign_key="questionnaire.code")
    version: int = Field(primary_key=True)
    state: str
    created_by: str
    created_at: datetime
    published_at: datetime | None = None
    effective_from: datetime | None = None
    retired_at: datetime | None = None


class QuestionnaireItem(Base, table=True):
    """One question of a version: what it asks about, its texts and its scale (both ends included)."""

    __tablename__ = "questionnaire_item"
    __table_args__ = (
        sa.ForeignKeyConstraint(["code", "version"], ["questionnaire_version.code", "questionnaire_version.version"]),
        sa.UniqueConstraint("code", "version", "item", name="uq_questionnaire_item_code_version_item"),
        sa.CheckConstraint("scale_min < scale_max", name="scale"),
    )

    code: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    position: int = Field(primary_key=True)
    item: str
    dimension: str
    text_zh: str
    text_en: str
    scale_min: int
    scale_max: int
    required: bool
