"""Names of units and people on pages: their owner is asked, outside any unit of work, and the answer kept.

A replica holds no names, as no free text leaves its owner's database. A person's name is masked by its owner (脱敏).
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from fastapi import Request

from shared.web.client import Peers, PeerUnavailable

KEPT: Final = 600.0
MOST: Final = 200
PURPOSE: Final = "page_heading"


class Places:
    """The names of units and of their people, as far as they were asked for.

    What is known is believed for :data:`KEPT` seconds, and longer while its owner does not answer.
    """

    def __init__(self, peers: Peers) -> None:
        self._peers = peers
        self._kept: dict[str, tuple[float, Mapping[str, Any]]] = {}

    async def name(self, unit: str) -> Mapping[str, str]:
        """``name_zh`` and ``name_en``; at worst the unit's id."""
        return await self._ask(f"/staff/v1/units/{unit}", _names, {"name_zh": unit, "name_en": unit})

    async def below(self, unit: str) -> Mapping[str, Mapping[str, str]]:
        """The names of the units right below, by id; of the first :data:`MOST`, which is as many as a page lists."""
        return await self._ask(f"/staff/v1/units?parent={unit}&limit={MOST}", lambda page: _by_id(page, _names), {})

    async def people(self, unit: str) -> Mapping[str, str]:
        """The masked names of a unit's people, by id; of the first :data:`MOST`. Empty where the owner gives none."""
        path = f"/staff/v1/people?unit={unit}&limit={MOST}"
        return await self._ask(path, lambda page: _by_id(page, lambda each: str(each["name"])), {})

    async def _ask(
        self, path: str, read: Callable[[Mapping[str, Any]], Mapping[str, Any]], otherwise: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        asked, names = self._kept.get(path, (0.0, otherwise))
        if asked and time.monotonic() - asked < KEPT:
            return names
        try:
            found = await self._peers.get(path, purpose=PURPOSE)
        except PeerUnavailable:
            return names
        if found is None:
            return names
        names = read(found)
        self._kept[path] = (time.monotonic(), names)
        return names


def _names(found: Mapping[str, Any]) -> Mapping[str, str]:
    return {"name_zh": found["names"]["zh"], "name_en": found["names"]["en"]}


def _by_id(page: Mapping[str, Any], show: Callable[[Mapping[str, Any]], Any]) -> Mapping[str, Any]:
    return {each["id"]: show(each) for each in page["items"]}


async def unit_name(request: Request, unit: str) -> Mapping[str, str]:
    """The names of a unit for a page that this request shows."""
    places: Places = request.app.state.places
    return await places.name(unit)


class Names(NamedTuple):
    """The names that a page of a branch's staff shows: the branch's own, and its people's, masked, by id."""

    place: Mapping[str, str]
    people: Mapping[str, str]


async def names_of(request: Request, unit: str) -> Names:
    """The names of a unit and of its people, for a page of its staff that this request shows."""
    places: Places = request.app.state.places
    return Names(await places.name(unit), await places.people(unit))
