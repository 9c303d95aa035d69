"""Every SELECT and write of the devices."""

import sqlalchemy as sa

from services.queue.devices.models import Device, DeviceLine, DeviceToken
from shared.db.statements import insert, table, upsert
from shared.directory.tables import dir_unit

_device, _token, _line = table(Device), table(DeviceToken), table(DeviceLine)
_p = sa.bindparam
_active = _device.c.state == sa.literal_column("'active'")

ADD = insert(_device)
BY_SECRET = sa.select(_device).where(_device.c.secret_hash == _p("secret_hash"))
DEVICE = sa.select(_device).where(_device.c.id == _p("device"))
BY_CODE = sa.select(_device).where(_device.c.code == _p("code"), _device.c.code_ends_at > _p("at")).with_for_update()
FORGET = sa.delete(_device).where(_device.c.state == sa.literal_column("'pending'"), _device.c.code_ends_at < _p("at"))
OF_UNIT = (
    sa.select(_device, _line.c.twice_at)
    .select_from(_device.outerjoin(_line, _line.c.device == _device.c.id))
    .where(_device.c.unit == _p("unit"), _device.c.id > _p("after"))
    .order_by(_device.c.id)
    .limit(_p("most", type_=sa.Integer))
)
ENROL = (
    sa.update(_device)
    .where(_device.c.id == _p("device"), _device.c.state == sa.literal_column("'pending'"))
    .values(
        state=sa.literal_column("'active'"),
        unit=_p("at_unit"),
        label=_p("named"),
        code=None,
        enrolled_by=_p("by"),
        enrolled_at=_p("at"),
        seen_at=_p("at"),
    )
)
REVOKE = (
    sa.update(_device)
    .where(_device.c.id == _p("device"), _active)
    .values(state=sa.literal_column("'revoked'"), revoked_at=_p("at"))
)
BEAT = (
    sa.update(_device)
    .where(_device.c.id == _p("device"), _active)
    .values(seen_at=_p("at"), silent=sa.false(), build=_p("runs"), outbox=_p("waiting"), lease_left=_p("left"))
)
SILENT = (
    sa.select(_device, dir_unit.c.path)
    .select_from(_device.outerjoin(dir_unit, dir_unit.c.unit == _device.c.unit))
    .where(_active, ~_device.c.silent, _device.c.seen_at < _p("before"), _device.c.id > _p("after"))
    .order_by(_device.c.id)
    .limit(_p("most", type_=sa.Integer))
)
MARK_SILENT = (
    sa.update(_device)
    .where(_device.c.id == _p("device"), _active, ~_device.c.silent, _device.c.seen_at < _p("before"))
    .values(silent=sa.true())
)
ADD_TOKEN = insert(_token)
FORGET_TOKENS = sa.delete(_token).where(_token.c.expires_at < _p("at"))
TOKEN = (
    sa.select(_token, _device.c.state)
    .select_from(_token.outerjoin(_device, _device.c.id == _token.c.device))
    .where(_token.c.hash == _p("hash"), _token.c.expires_at > _p("at"))
)
LINE = sa.select(_line).where(_line.c.device == _p("device"))
SPEAKS = upsert(_line, ["device"], ["newest", "since", "twice_at"], where=lambda old, new: new.newest > old.newest)
TWICE = sa.update(_line).where(_line.c.device == _p("of")).values(twice_at=_p("at"))
