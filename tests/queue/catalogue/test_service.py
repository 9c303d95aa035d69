"""The catalogue below HTTP: versions kept for ever, prefixes unique even at the same moment, offers by branch."""

import asyncio

import sqlalchemy as sa

from services.queue.catalogue import service
from services.queue.catalogue.errors import PrefixTaken, ServiceNotOffered
from services.queue.catalogue.models import Service, ServiceVersion
from services.queue.catalogue.schemas import ServiceDefinition
from shared.db.errors import UniqueConflict
from shared.db.statements import table
from shared.web.problems import InvalidField

NAMES = {"zh": "业务", "en": "Service"}


def complete(prefix, minutes=10):
    return ServiceDefinition(
        names=NAMES, prefix=prefix, expected_minutes=minutes, steps=[{"code": "do", "names": NAMES}],
        materials=[{"code": "id", "names": NAMES, "kind": "required", "form": "copy"}],
    )  # fmt: skip


async def define(hall, code, definition, if_match=None):
    return await hall.db.write(lambda uow: service.define_service(uow, code, definition, if_match), actor="editor")


async def test_every_version_stays_and_an_equal_definition_makes_none(hall):
    rows = [await define(hall, "loan", complete("L", minutes)) for minutes in (10, 20, 20, 10)]
    assert [row.version for row in rows] == [1, 2, 2, 3]
    kept = table(ServiceVersion)
    versions = await hall.rows(sa.select(kept).where(kept.c.code == "loan").order_by(kept.c.version))
    assert [(v.version, v.body["expected_minutes"], v.published_by) for v in versions] == [
        (1, 10, "editor"), (2, 20, "editor"), (3, 10, "editor"),
    ]  # fmt: skip


async def test_of_many_services_published_at_once_with_one_prefix_one_has_it(either_hall):
    hall = either_hall
    outcomes = await asyncio.gather(
        *(define(hall, f"loan-{i}", complete("L")) for i in range(6)), return_exceptions=True
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert [type(problem) for problem in refused if not isinstance(problem, PrefixTaken | UniqueConflict)] == []
    assert len(refused) == 5
    kept = table(Service)
    assert len(await hall.rows(sa.select(kept).where(kept.c.prefix == "L"))) == 1


async def test_what_is_offered_is_asked_for_by_code_or_as_a_whole(hall):
    async def ask(codes, unit="gz-001"):
        try:
            return await hall.db.read(lambda reads: service.offered_among(reads, unit, codes))
        except ServiceNotOffered as refused:
            return refused.pointer

    assert await ask(["cash", "info"]) == {"cash": "counter", "info": None}
    assert set(await ask(None)) == {"cash", "wealth", "fx", "info"}
    assert await ask(["cash", "gold"]) == "/services/1"
    assert await ask(None, "old-001") == "/services"


async def test_a_ticket_needs_an_offer_and_a_class_in_force(hall):
    async def ask(code, cls, unit="gz-001"):
        try:
            return await hall.db.read(lambda reads: service.to_issue(reads, unit, code, cls))
        except (ServiceNotOffered, InvalidField) as refused:
            return type(refused)

    assert (await ask("cash", "vip")).head_start_seconds == 600
    assert await ask("cash", "royal") is InvalidField
    assert await ask("gold", "vip") is ServiceNotOffered
    assert await ask("cash", "vip", "old-001") is ServiceNotOffered
