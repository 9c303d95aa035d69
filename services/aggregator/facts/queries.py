"""Every SELECT and write of the facts."""

from typing import Any, Final

import sqlalchemy as sa

from services.aggregator.facts.models import FactResponse, FactVisit
from services.aggregator.metrics.answers import By
from services.aggregator.metrics.queries import PERIODS, below, period_of
from shared.db.statements import table, upsert
from shared.db.types import any_of

visits, responses = table(FactVisit), table(FactResponse)
_p = sa.bindparam


def locked(facts: sa.Table, key: str) -> Any:
    """The facts of the keys ``keys``, locked in the order of their keys."""
    return sa.select(facts).where(any_of(facts.c[key], "keys")).order_by(facts.c[key]).with_for_update()


def following(facts: sa.Table, key: str) -> Any:
    """The next facts after the key ``cursor``."""
    return (
        sa.select(facts).where(facts.c[key] > _p("cursor")).order_by(facts.c[key]).limit(_p("most", type_=sa.Integer))
    )


def saving(facts: sa.Table, key: str) -> Any:
    """Keep a fact unless a newer one is there."""
    others = [column.name for column in facts.columns if column.name != key]
    return upsert(facts, [key], others, where=lambda old, new: old.sequence < new.sequence)


def _waits(by: By, *, leaf: bool) -> Any:
    source, where = below(visits, leaf=leaf)
    keys = period_of(visits.c.business_date, by)
    counts = (
        sa.select(
            sa.func.count().filter(visits.c.state == "served").label("served"),
            sa.func.count().filter(visits.c.state == "left").label("gone"),
            *keys,
        )
        .select_from(source)
        .where(
            where,
            visits.c.business_date.between(_p("first"), _p("last")),
            visits.c.wait_seconds.between(_p("least"), _p("most")),
        )
    )
    return counts.group_by(*[key.element for key in keys]) if keys else counts


WAITS: Final = {(by, leaf): _waits(by, leaf=leaf) for by in PERIODS for leaf in (True, False)}
"""How many were served and how many left after a wait from ``least`` to ``most`` seconds, by period."""
