"""Every SELECT and write of the catalogue."""

import sqlalchemy as sa

from services.queue.catalogue.models import BranchService, Service, ServiceVersion, TicketClass
from shared.db.statements import insert, table, upsert
from shared.db.types import any_of

_service, _version, _offer, _class = table(Service), table(ServiceVersion), table(BranchService), table(TicketClass)
_p = sa.bindparam

SERVICE = sa.select(_service).where(_service.c.code == _p("code"))
SERVICES = sa.select(_service).where(any_of(_service.c.code, "codes"))
SERVICE_LOCKED = SERVICE.with_for_update()
PREFIX_OWNER = sa.select(_service.c.code).where(_service.c.prefix == _p("prefix"), _service.c.code != _p("code"))
SAVE_SERVICE = upsert(
    _service,
    ["code"],
    [column.name for column in _service.columns if column.name != "code"],
)
ADD_VERSION = insert(_version)
OFFERED = (
    sa.select(_service)
    .join(_offer, _offer.c.service == _service.c.code)
    .where(_offer.c.unit == _p("unit"), _service.c.code > _p("after"))
    .order_by(_service.c.code)
    .limit(_p("most", type_=sa.Integer))
)
OFFERED_CODES = sa.select(_offer.c.service).where(_offer.c.unit == _p("unit")).order_by(_offer.c.service)
OFFERED_AMONG = (
    sa.select(_service.c.code, _service.c.required_qualification)
    .join(_offer, _offer.c.service == _service.c.code)
    .where(_offer.c.unit == _p("unit"), any_of(_service.c.code, "codes"))
)
ADD_OFFER = upsert(_offer, ["unit", "service"], None)
DROP_OFFER = sa.delete(_offer).where(_offer.c.unit == _p("unit"), _offer.c.service == _p("service"))

_newest = (
    sa.select(sa.func.max(_class.c.effective_from))
    .where(_class.c.code == _p("class_code"), _class.c.effective_from <= _p("at"))
    .scalar_subquery()
)
SAVE_CLASS = upsert(_class, ["code", "effective_from"], ["head_start_seconds", "evidence", "name_zh", "name_en"])
_other = _class.alias("later")
CLASSES = (
    sa.select(_class)
    .where(
        _class.c.effective_from <= _p("at"),
        ~sa.exists().where(
            _other.c.code == _class.c.code,
            _other.c.effective_from <= _p("at"),
            _other.c.effective_from > _class.c.effective_from,
        ),
    )
    .order_by(_class.c.code)
)

TO_ISSUE = (
    sa.select(
        _service.c.code,
        _service.c.prefix,
        _service.c.name_zh,
        _service.c.name_en,
        _class.c.head_start_seconds,
        _offer.c.service.label("offered"),
    )
    .select_from(
        _service.outerjoin(_offer, sa.and_(_offer.c.service == _service.c.code, _offer.c.unit == _p("unit"))).outerjoin(
            _class, sa.and_(_class.c.code == _p("class_code"), _class.c.effective_from == _newest)
        )
    )
    .where(_service.c.code == _p("code"))
)
"""What issuing a ticket needs to know of the catalogue, in one round trip."""
