"""Every SELECT on scores: distributions over the subtree of a unit, grouped by the database."""

import sqlalchemy as sa

from services.surveys.responses.models import Response, ResponseAnswer
from shared.db.statements import table
from shared.directory.tables import dir_unit

_p = sa.bindparam
_response = table(Response)
_answer = table(ResponseAnswer)

OVERALL = "overall"

_SCOPE = sa.and_(
    dir_unit.c.path >= _p("top"),
    dir_unit.c.path < _p("beyond"),
    _response.c.business_date >= _p("first"),
    _response.c.business_date <= _p("last"),
)
_FROM = _response.join(dir_unit, dir_unit.c.unit == _response.c.unit)
_ANSWERS = _FROM.join(_answer, _answer.c.invitation == _response.c.invitation)

DISTRIBUTION = (
    sa.select(
        _answer.c.dimension,
        _answer.c.score,
        _answer.c.scale_min,
        _answer.c.scale_max,
        sa.func.count().label("answers"),
    )
    .select_from(_ANSWERS)
    .where(_SCOPE)
    .group_by(_answer.c.dimension, _answer.c.score, _answer.c.scale_min, _answer.c.scale_max)
)
"""How often each score was given, by dimension and scale."""

CUSTOMERS = (
    sa.select(_answer.c.dimension, sa.func.count(sa.distinct(_answer.c.invitation)).label("customers"))
    .select_from(_ANSWERS)
    .where(_SCOPE)
    .group_by(_answer.c.dimension)
    .union_all(sa.select(sa.literal_column(f"'{OVERALL}'"), sa.func.count()).select_from(_FROM).where(_SCOPE))
)
"""How many customers answered, by dimension and over all."""
