"""Routes of scores."""

from datetime import date
from typing import Annotated

from fastapi import Query

from services.surveys.auth import ReadScores
from services.surveys.scores import rules, service
from services.surveys.scores.schemas import ScoreLine, Scores
from shared.db.uow import Reads
from shared.directory import replica
from shared.web.fields import QueryUnit
from shared.web.problems import InvalidField
from shared.web.routing import ServiceRouter

router = ServiceRouter("surveys", "scores")

First = Annotated[date, Query(alias="from", description="First business date, included")]
Last = Annotated[date, Query(alias="to", description="Last business date, included")]


@router.get("/scores")
async def get_scores(reads: Reads, caller: ReadScores, unit: QueryUnit, first: First, last: Last) -> Scores:
    """Scores (得分) of a unit and everything below it, with their uncertainty; too few customers are not shown."""
    if first > last:
        raise InvalidField("/query/from", "after_to", "from must not be after to", "from 不得晚于 to")
    place = await replica.branch(reads, caller, unit)
    found = await service.lines(reads, place.path, first, last)
    return Scores(
        unit=unit,
        first=first,
        last=last,
        definition=rules.DEFINITION,
        items=[_line(name, score) for name, score in found],
    )


def _line(name: str, score: rules.Score | None) -> ScoreLine:
    if score is None:
        nothing = dict.fromkeys(rules.Score._fields)
        return ScoreLine(dimension=name, **nothing, suppressed=rules.TOO_FEW)
    return ScoreLine(dimension=name, **score._asdict(), suppressed=None)
