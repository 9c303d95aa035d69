"""Use cases of questionnaires: new versions, publishing, retiring, and which one is in force."""

from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from services.surveys.questionnaires import queries, rules
from services.surveys.questionnaires.errors import DimensionsMissing
from services.surveys.questionnaires.models import Questionnaire, QuestionnaireItem, QuestionnaireVersion
from services.surveys.questionnaires.rules import VersionStatus
from services.surveys.refusals import refuse
from shared.db.statements import Row, insert, table, upsert
from shared.db.uow import Reads, Uow
from shared.web.problems import IllegalTransition, NotFound

if TYPE_CHECKING:
    from services.surveys.questionnaires.schemas import QuestionnaireRequest

_p = sa.bindparam
_root = table(Questionnaire)
_version = table(QuestionnaireVersion)

_NEXT = upsert(_root, ["code"], {"versions": _root.c.versions + 1}).returning(_root.c.versions)
_ADD_VERSION = insert(_version)
_ADD_ITEM = insert(table(QuestionnaireItem))


def _move(before: VersionStatus) -> sa.Update:
    return sa.update(_version).where(
        _version.c.code == _p("of_code"), _version.c.version == _p("of_version"), _version.c.state == before.value
    )


_PUBLISH = _move(VersionStatus.DRAFT).values(
    state=VersionStatus.PUBLISHED.value, published_at=_p("at"), effective_from=_p("from_instant")
)
_RETIRE = _move(VersionStatus.PUBLISHED).values(state=VersionStatus.RETIRED.value, retired_at=_p("at"))


async def create_version(uow: Uow, command: "QuestionnaireRequest") -> int:
    """Write the next version as a draft and return its number."""
    refuse(rules.faults_of(command.items))
    version: int = await uow.scalar(_NEXT, code=command.code, versions=1)
    await uow.write(
        _ADD_VERSION,
        code=command.code,
        version=version,
        state=VersionStatus.DRAFT.value,
        created_by=uow.actor,
        created_at=uow.now,
        published_at=None,
        effective_from=None,
        retired_at=None,
    )
    rows = [
        {
            "code": command.code,
            "version": version,
            "position": position,
            "item": item.code,
            "dimension": item.dimension.value,
            "text_zh": item.texts.zh,
            "text_en": item.texts.en,
            "scale_min": item.scale_min,
            "scale_max": item.scale_max,
            "required": item.required,
        }
        for position, item in enumerate(command.items)
    ]
    await uow.many(_ADD_ITEM, rows)
    await _audit(uow, "questionnaire.drafted", command.code, version)
    return version


async def publish(uow: Uow, code: str, version: int, effective_from: datetime | None) -> None:
    """Make a draft immutable and plan when it comes into force (``None``: now).

    Refused with :class:`DimensionsMissing` unless quality, efficiency and attitude each have an item.
    """
    row = await version_of(uow, code, version)
    present = await uow.all(queries.DIMENSIONS, code=code, version=version)
    if row.state == VersionStatus.DRAFT and (missing := rules.missing_dimensions(found.dimension for found in present)):
        raise DimensionsMissing(missing)
    start = effective_from or uow.now
    if fault := rules.effective_fault(start, uow.now):
        refuse([fault])
    if not await uow.execute(_PUBLISH, of_code=code, of_version=version, at=uow.now, from_instant=start):
        await _refuse_move(uow, code, version)
    await _audit(uow, "questionnaire.published", code, version)


async def retire(uow: Uow, code: str, version: int) -> None:
    """Take a published version out of force from now on; the one in force before it, if any, is so again."""
    await version_of(uow, code, version)
    if not await uow.execute(_RETIRE, of_code=code, of_version=version, at=uow.now):
        await _refuse_move(uow, code, version)
    await _audit(uow, "questionnaire.retired", code, version)


async def version_of(reads: Reads, code: str, version: int) -> Row:
    """The version's row, or 404."""
    row = await reads.one(queries.VERSION, code=code, version=version)
    if row is None:
        raise NotFound()
    return row


async def exists(reads: Reads, code: str) -> bool:
    """Whether the questionnaire has any version."""
    return await reads.one(queries.VERSION, code=code, version=1) is not None


async def in_force(reads: Reads, code: str | None, at: datetime) -> Row | None:
    """``(code, version)`` in force at an instant; without a code, of whichever questionnaire began last."""
    if code is None:
        return await reads.one(queries.IN_FORCE_ANY, at=at)
    return await reads.one(queries.IN_FORCE, code=code, at=at)


async def _refuse_move(uow: Uow, code: str, version: int) -> None:
    state = VersionStatus((await version_of(uow, code, version)).state)
    raise IllegalTransition(state=state.value, allowed=rules.ALLOWED[state])


async def _audit(uow: Uow, action: str, code: str, version: int) -> None:
    await uow.audit(action, object_type="questionnaire", object_id=code, detail={"version": version})
