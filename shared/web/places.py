"""Names of units and people on pages: their owner is asked, outside any unit of work, and the answer kept.

A replica holds no names, as no free text leaves its owner's database. A person's name is masked by its owner (脱敏).
"""

import time
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from fastapi import Request

from shared.web.client import Peers, PeerUnavailable

KEPT: Final = 600.0
MOST: Final = 200
PURPOSE: Final = "page_heading"


class Places:
    """The names of units and of their people, as far as they were asked for."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers
        self._known: dict[str, tuple[float, Mapping[str, str]]] = {}
        self._below: dict[str, tuple[float, Mapping[str, Mapping[str, str]]]] = {}
        self._people: dict[str, tuple[float, Mapping[str, str]]] = {}

    async def name(self, unit: str) -> Mapping[str, str]:
        """``name_zh`` and ``name_en``; an old answer where the owner gives none, at worst the unit's id."""
        asked, names = self._known.get(unit, (0.0, {"name_zh": unit, "name_en": unit}))
        if asked and time.monotonic() - asked < KEPT:
            return names
        try:
            found = await self._peers.get(f"/staff/v1/units/{unit}", purpose=PURPOSE)
        except PeerUnavailable:
            return names
        if found is not None:
            names = _names(found)
            self._known[unit] = (time.monotonic(), names)
        return names

    async def below(self, unit: str) -> Mapping[str, Mapping[str, str]]:
        """The names of the units right below, by id; of the first :data:`MOST`, which is as many as a page lists."""
        asked, names = self._below.get(unit, (0.0, {}))
        if asked and time.monotonic() - asked < KEPT:
            return names
        try:
            found = await self._peers.get(f"/staff/v1/units?parent={unit}&limit={MOST}", purpose=PURPOSE)
        except PeerUnavailable:
            return names
        names = {each["id"]: _names(each) for each in (found or {}).get("items", ())}
        self._below[unit] = (time.monotonic(), names)
        return names

    async def people(self, unit: str) -> Mapping[str, str]:
        """The masked names of a unit's people, by id; of the first :data:`MOST`. Empty where the owner gives none."""
        asked, names = self._people.get(unit, (0.0, {}))
        if asked and time.monotonic() - asked < KEPT:
            return names
        try:
            found = await self._peers.get(f"/staff/v1/people?unit={unit}&limit={MOST}", purpose=PURPOSE)
        except PeerUnavailable:
            return names
        names = {each["id"]: str(each["name"]) for each in (found or {}).get("items", ())}
        self._people[unit] = (time.monotonic(), names)
        return names


def _names(found: Mapping[str, Any]) -> Mapping[str, str]:
    return {"name_zh": found["names"]["zh"], "name_en": found["names"]["en"]}


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
