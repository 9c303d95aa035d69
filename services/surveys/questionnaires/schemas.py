"""Requests and replies of questionnaires (问卷)."""

from typing import Annotated, Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictBool

from services.surveys.questionnaires.rules import VersionStatus
from shared.contracts.surveys import Dimension
from shared.web.fields import CodeField, Command, Text

Bound = Annotated[int, Field(strict=True, ge=0, le=10)]

_ITEM: dict[str, Any] = {
    "code": "attitude",
    "dimension": "attitude",
    "texts": {"zh": "您对柜员的服务态度满意吗?", "en": "How satisfied are you with the teller's attitude?"},
    "scale_min": 1,
    "scale_max": 5,
    "required": True,
}


class ItemTexts(Command):
    """The question as customers read it, in both languages."""

    zh: Text
    en: Text


class SurveyItem(Command):
    """One question (题目): the dimension it asks about and its scale, both ends included."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ITEM]})

    code: CodeField
    dimension: Dimension
    texts: ItemTexts
    scale_min: Bound = 1
    scale_max: Bound = 5
    required: StrictBool = True

    @classmethod
    def of(cls, row: Any) -> Self:
        """The item that a stored row holds."""
        return cls(
            code=row.item,
            dimension=Dimension(row.dimension),
            texts=ItemTexts(zh=row.text_zh, en=row.text_en),
            scale_min=row.scale_min,
            scale_max=row.scale_max,
            required=row.required,
        )


class QuestionnaireRequest(Command):
    """A new version of the questionnaire ``code``: all its items, in the order they are shown."""

    code: CodeField = Field(examples=["visit"])
    items: list[SurveyItem] = Field(min_length=1, max_length=50)


class PublishRequest(Command):
    """When the version comes into force; at once if not said."""

    effective_from: AwareDatetime | None = Field(default=None, examples=["2026-04-01T00:00:00+08:00"])


class QuestionnaireSummary(BaseModel):
    """A version without its items."""

    code: str
    version: int
    state: VersionStatus
    created_at: AwareDatetime
    published_at: AwareDatetime | None
    effective_from: AwareDatetime | None
    retired_at: AwareDatetime | None


class QuestionnaireView(QuestionnaireSummary):
    """A version with its items."""

    items: list[SurveyItem]
