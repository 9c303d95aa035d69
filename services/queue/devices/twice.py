"""One key, two machines: a device that speaks with an older token after a newer one had taken its place (密钥被复制).

A screen asks for a new token before its old one ends, or when its page starts again, and from then on speaks with the
new one alone. So an old token that still beats a minute after a newer one began belongs to somebody else: to a second
tab, or to a machine that the key was copied to. Which of them is the right one nobody can tell from here: the manager
is told, and sends the device away where no second tab explains it.
"""

from services.queue.devices import queries
from services.queue.devices.rules import SUBJECT, told_again, twice
from shared.db.uow import Uow
from shared.security.principal import Principal


async def watch(uow: Uow, principal: Principal) -> bool:
    """Look at the token that a device's beat came with; whether two machines were seen at work just now."""
    ends = principal.expires_at
    if ends is None or not principal.sub.startswith(SUBJECT):
        return False
    device = principal.sub.removeprefix(SUBJECT)
    line = await uow.one(queries.LINE, device=device)
    if line is None or ends > line.newest:
        await uow.execute(queries.SPEAKS, device=device, newest=ends, since=uow.now, twice_at=line and line.twice_at)
        return False
    if not twice(ends, line.newest, line.since, uow.now):
        return False
    if told_again(line.twice_at, uow.now):
        await uow.execute(queries.TWICE, of=device, at=uow.now)
        await uow.audit("device.key_used_twice", object_type="device", object_id=device, unit=principal.units[0])
    return True
