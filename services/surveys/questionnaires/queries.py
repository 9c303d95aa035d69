"""Every SELECT on questionnaires."""

import sqlalchemy as sa

from services.surveys.questionnaires.models import QuestionnaireItem, QuestionnaireVersion
from shared.db.statements import table

_p = sa.bindparam
_version = table(QuestionnaireVersion)
_item = table(QuestionnaireItem)

VERSION = sa.select(_version).where(_version.c.code == _p("code"), _version.c.version == _p("version"))
"""One version."""

ITEMS = sa.select(_item).where(_item.c.code == _p("code"), _item.c.version == _p("version")).order_by(_item.c.position)
"""The items of one version, in the order they are shown."""

DIMENSIONS = sa.select(_item.c.dimension).where(_item.c.code == _p("code"), _item.c.version == _p("version")).distinct()
"""What one version asks about."""

PAGE = (
    sa.select(_version)
    .where(
        sa.or_(
            _version.c.code > _p("code"),
            sa.and_(_version.c.code == _p("code"), _version.c.version > _p("version")),
        )
    )
    .order_by(_version.c.code, _version.c.version)
    .limit(_p("limit", type_=sa.Integer))
)
"""Versions after one, by code and version."""

IN_FORCE_ANY = (
    sa.select(_version.c.code, _version.c.version)
    .where(
        _version.c.published_at <= _p("at"),
        _version.c.effective_from <= _p("at"),
        sa.or_(_version.c.retired_at.is_(None), _version.c.retired_at > _p("at")),
    )
    .order_by(
        _version.c.effective_from.desc(),
        _version.c.published_at.desc(),
        _version.c.version.desc(),
        _version.c.code,
    )
    .limit(1)
)
"""The version in force at an instant, of whichever questionnaire came into force last."""

IN_FORCE = IN_FORCE_ANY.where(_version.c.code == _p("code"))
"""The version of one questionnaire in force at an instant."""
