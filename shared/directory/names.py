"""What units are called: their owner's to say, asked for by HTTP and kept a while; never inside a unit of work.

Where the owner does not answer a unit goes by its id, so that a page stands without it.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from shared.web.client import Peers

PURPOSE: Final = "page_of_unit"
MOST: Final = 200


class UnitName(NamedTuple):
    """A unit and its name in both languages; a template shows it with ``| named``."""

    id: str
    name_zh: str
    name_en: str


async def of_unit(peers: Peers, unit: str) -> UnitName:
    """The name of one unit."""
    found = await peers.known(f"/staff/v1/units/{unit}", purpose=PURPOSE)
    return UnitName(unit, unit, unit) if found is None else _name(found)


async def below(peers: Peers, unit: str) -> dict[str, UnitName]:
    """The names of the units right below, by id; of the first :data:`MOST`, which is as many as a page lists."""
    found = await peers.known(f"/staff/v1/units?parent={unit}&limit={MOST}", purpose=PURPOSE)
    return {each["id"]: _name(each) for each in (found or {}).get("items", ())}


def _name(found: Mapping[str, Any]) -> UnitName:
    return UnitName(found["id"], found["names"]["zh"], found["names"]["en"])
