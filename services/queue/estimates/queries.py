"""Every SELECT of the wait quotes."""

import sqlalchemy as sa

from services.queue.estimates.models import QuoteModel
from shared.db.statements import table

_model = table(QuoteModel)

IN_FORCE = (
    sa.select(_model.c.version)
    .where(_model.c.effective_from <= sa.bindparam("at"))
    .order_by(_model.c.effective_from.desc(), _model.c.version.desc())
    .limit(sa.literal_column("1"))
)
BODY = sa.select(_model.c.body).where(_model.c.version == sa.bindparam("version"))
