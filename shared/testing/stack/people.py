"""Who could sign in at a running system: its branches and their people, by its API."""

from typing import Any, Final, NamedTuple

import httpx

POSTS: Final = frozenset({"teller", "branch_manager"})
MOST: Final = 200


class Person(NamedTuple):
    """A member of staff; ``role`` is the post."""

    id: str
    name: str
    role: str


class Branch(NamedTuple):
    """A branch with those of its people who have a screen."""

    id: str
    name: str
    people: list[Person]


async def people(api: httpx.AsyncClient) -> tuple[list[Branch], str]:
    """The branches and the id of the head office ('' while nothing is known); at most 200 of each."""
    units = await _items(api, "/staff/v1/units")
    staff = await _items(api, "/staff/v1/people")
    top = next((unit["id"] for unit in units if unit["kind"] == "head_office"), "")
    seated = [person for person in staff if person["active"] and person["post"] in POSTS]
    return [
        Branch(unit["id"], unit["names"]["zh"], [_person(each) for each in seated if each["unit"] == unit["id"]])
        for unit in units
        if unit["kind"] == "branch"
    ], top


def _person(row: dict[str, Any]) -> Person:
    return Person(row["id"], row["name"], row["post"])


async def _items(api: httpx.AsyncClient, path: str) -> list[dict[str, Any]]:
    reply = await api.get(path, params={"limit": MOST})
    found: list[dict[str, Any]] = reply.raise_for_status().json()["items"]
    return found
