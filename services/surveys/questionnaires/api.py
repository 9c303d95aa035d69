"""Routes of questionnaires."""

from typing import Annotated, Any

from fastapi import Body, Path

from services.surveys.auth import ReadQuestionnaires, WriteQuestionnaires
from services.surveys.questionnaires import queries, service
from services.surveys.questionnaires.schemas import (
    PublishRequest,
    QuestionnaireRequest,
    QuestionnaireSummary,
    QuestionnaireView,
    SurveyItem,
)
from shared.db.statements import Row
from shared.db.uow import Reads, Uow
from shared.web.fields import PathId
from shared.web.paging import Page, Paging, page
from shared.web.problems import InvalidField, NotFound
from shared.web.routing import ServiceRouter

router = ServiceRouter("surveys", "questionnaires")

VersionNo = Annotated[int, Path(ge=1, le=1_000_000, description="The version's number")]
LONGEST_NUMBER = 7


@router.post("/questionnaires", status_code=201)
async def create_questionnaire_version(
    uow: Uow, actor: WriteQuestionnaires, command: QuestionnaireRequest
) -> QuestionnaireView:
    """Write the next version of a questionnaire as a draft."""
    version = await service.create_version(uow, command)
    uow.headers["Location"] = f"/surveys/v1/questionnaires/{command.code}/versions/{version}"
    return await _view(uow, command.code, version)


@router.get("/questionnaires")
async def list_questionnaire_versions(
    reads: Reads, actor: ReadQuestionnaires, asked: Paging
) -> Page[QuestionnaireSummary]:
    """Every version of every questionnaire, without items, by code and version."""
    code, _, number = asked.after.partition("/")
    if number and not (number.isascii() and number.isdigit() and len(number) <= LONGEST_NUMBER):
        raise InvalidField("/query/cursor", "invalid_cursor", "The cursor is not one of ours", "游标无效")
    rows = await reads.all(queries.PAGE, code=code, version=int(number or 0), limit=asked.fetch)
    return Page[QuestionnaireSummary](**page(asked, rows, lambda row: f"{row.code}/{row.version}", _summary))


@router.get("/questionnaires/{code}")
async def get_questionnaire(reads: Reads, actor: ReadQuestionnaires, code: PathId) -> QuestionnaireView:
    """The version in force now; 404 while none is."""
    found = await service.in_force(reads, code, reads.now)
    if found is None:
        raise NotFound()
    return await _view(reads, code, found.version)


@router.get("/questionnaires/{code}/versions/{version}")
async def get_questionnaire_version(
    reads: Reads, actor: ReadQuestionnaires, code: PathId, version: VersionNo
) -> QuestionnaireView:
    """One version, whatever its state."""
    return await _view(reads, code, version)


@router.post("/questionnaires/{code}/versions/{version}/publish")
async def publish_questionnaire_version(
    uow: Uow,
    actor: WriteQuestionnaires,
    code: PathId,
    version: VersionNo,
    command: Annotated[PublishRequest | None, Body()] = None,
) -> QuestionnaireView:
    """Publish a draft; refused unless quality, efficiency and attitude each have an item."""
    await service.publish(uow, code, version, command.effective_from if command else None)
    return await _view(uow, code, version)


@router.post("/questionnaires/{code}/versions/{version}/retire")
async def retire_questionnaire_version(
    uow: Uow, actor: WriteQuestionnaires, code: PathId, version: VersionNo
) -> QuestionnaireView:
    """Take a published version out of force."""
    await service.retire(uow, code, version)
    return await _view(uow, code, version)


async def _view(reads: Reads, code: str, version: int) -> QuestionnaireView:
    row = await service.version_of(reads, code, version)
    items = await reads.all(queries.ITEMS, code=code, version=version)
    return QuestionnaireView(**_summary(row).model_dump(), items=[SurveyItem.of(item) for item in items])


def _summary(row: Row) -> QuestionnaireSummary:
    fields: dict[str, Any] = {name: getattr(row, name) for name in QuestionnaireSummary.model_fields}
    return QuestionnaireSummary(**fields)
