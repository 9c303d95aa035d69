"""Every SELECT and write of the facts."""

from typing import Any, Final

import sqlalchemy as sa

from services.aggregator.facts.models import FactResponse, FactVisit
from services.aggregator.metrics.answers import By
from services.aggregator.metrics.models import Cell
from services.aggregator.metrics.queries import PERIODS, below, period_of
from shared.db.statements import table, upsert
from shared.db.types import any_of

visits, responses, cell = table(FactVisit), table(FactResponse), table(Cell)
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
    # The cells of the bucket name the days that have such waits at all, so that only their few facts are looked up.
    cells, where = below(cell, leaf=leaf)
    days = (
        sa.select(cell.c.unit, cell.c.day)
        .distinct()
        .select_from(cells)
        .where(
            where,
            cell.c.generation == _p("generation"),
            cell.c.metric == _p("metric"),
            cell.c.day.between(_p("first"), _p("last")),
            cell.c.bucket == _p("bucket"),
        )
        .subquery()
    )
    keys = period_of(days.c.day, by)
    counts = (
        sa.select(
            sa.func.count().filter(visits.c.state == "served").label("served"),
            sa.func.count().filter(visits.c.state == "left").label("gone"),
            *keys,
        )
        .select_from(days)
        .join(visits, sa.and_(visits.c.unit == days.c.unit, visits.c.business_date == days.c.day))
        .where(visits.c.wait_seconds.between(_p("least"), _p("most")))
    )
    return counts.group_by(*[key.element for key in keys]) if keys else counts


WAITS: Final = {(by, leaf): _waits(by, leaf=leaf) for by in PERIODS for leaf in (True, False)}
"""How many were served and how many left after a wait from ``least`` to ``most`` seconds, by period."""
