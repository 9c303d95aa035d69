"""Every SELECT and write of the facts."""

from typing import Any

import sqlalchemy as sa

from services.aggregator.facts.models import FactResponse, FactVisit
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
