"""The example bank (``examples/bank``), loaded over HTTP as head office through the SDK.

It goes through the front door like any integration: nothing here knows a service from the inside. Loading is idempotent
(each write's key is made from its content, what exists already is left alone), so that a load which was cut short by a
stop is completed by the next start.
"""

import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import yaml
from wangdian_client import AsyncWangdian, Conflict, NotFound

from shared.ids import uuid5

FOLDER: Final = Path(__file__).resolve().parent.parent / "examples" / "bank"
LOADER: Final = "example-bank"
AT_ONCE: Final = 8


class Write(NamedTuple):
    """One request of the load."""

    method: Literal["POST", "PUT"]
    path: str
    body: Mapping[str, Any]

    @property
    def key(self) -> str:
        """The idempotency key: equal content, equal key."""
        return uuid5(LOADER, self.method, self.path, json.dumps(self.body, sort_keys=True))


class Bank:
    """The data of a folder, as stages of writes; the writes of one stage do not depend on each other."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _read(self, name: str) -> Any:
        return yaml.safe_load((self._folder / f"{name}.yaml").read_text(encoding="utf-8"))

    @property
    def root(self) -> str:
        """The id of the head office."""
        return str(self._read("organisation")["units"][0]["id"])

    @property
    def questionnaire(self) -> str:
        """The code of the questionnaire, the last thing that is loaded."""
        return str(self._read("questionnaire")["code"])

    def stages(self) -> Iterator[list[Write]]:
        """Everything but the questionnaire, in the order in which it can be written."""
        organisation = self._read("organisation")
        for unit in organisation["units"]:
            yield [Write("POST", "/staff/v1/units", {"valid_from": organisation["valid_from"]} | unit)]
        yield [Write("POST", "/staff/v1/people", person) for person in self._read("people")]
        yield [*self._qualifications(), *self._catalogue()]
        yield list(self._branches())

    def first_version(self) -> Write:
        """The questionnaire's first version."""
        return Write("POST", "/surveys/v1/questionnaires", self._read("questionnaire"))

    def _qualifications(self) -> Iterator[Write]:
        data = self._read("qualifications")
        for entry in data["held"]:
            period = {name: entry.get(name, data[name]) for name in ("valid_from", "valid_to")}
            for code in entry["codes"]:
                yield Write("POST", f"/staff/v1/people/{entry['person']}/qualifications", {"code": code, **period})

    def _catalogue(self) -> Iterator[Write]:
        for kind in ("services", "classes"):
            for code, body in self._read(kind).items():
                yield Write("PUT", f"/queue/v1/{kind}/{code}", body)

    def _branches(self) -> Iterator[Write]:
        for unit, branch in self._read("branches").items():
            for code in branch["services"]:
                yield Write("PUT", f"/queue/v1/branches/{unit}/services/{code}", {"offered": True})
            for number in branch["windows"]:
                yield Write("PUT", f"/queue/v1/branches/{unit}/windows/{number}", {})


async def load_bank(client: AsyncWangdian, folder: Path = FOLDER) -> int:
    """Load what is not there yet, as the caller of ``client`` (head office); returns how many writes were confirmed.

    A system that holds another bank, or this one whole, is left alone: 0.
    """
    bank = Bank(folder)
    if not await _wanted(client, bank):
        return 0
    done = 0
    for stage in bank.stages():
        done += await _send_all(client, stage)
    version = await _send(client, bank.first_version())
    if version is not None:
        path = f"/surveys/v1/questionnaires/{version['code']}/versions/{version['version']}/publish"
        await _send(client, Write("POST", path, {}))
    return done + 1


async def _wanted(client: AsyncWangdian, bank: Bank) -> bool:
    units = {unit["id"] async for unit in client.staff.units.list()}
    if units and bank.root not in units:
        return False
    try:
        await client.request("GET", f"/surveys/v1/questionnaires/{bank.questionnaire}")
    except NotFound:
        return True
    return False


async def _send_all(client: AsyncWangdian, writes: Iterable[Write]) -> int:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(write: Write) -> bool:
        async with gate:
            return await _send(client, write) is not None

    return sum(await asyncio.gather(*map(one, writes)))


async def _send(client: AsyncWangdian, write: Write) -> Any:
    """The reply; None where the object was there already."""
    try:
        return await client.request(write.method, write.path, json=write.body, idempotency_key=write.key)
    except Conflict as conflict:
        if conflict.code in ("already_exists", "illegal_transition"):
            return None
        raise
