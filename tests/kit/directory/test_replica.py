"""What a service asks its replica: the caller's part of the tree, and qualifications by our clock."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from shared.db.statements import insert
from shared.directory import replica
from shared.directory.tables import dir_person, dir_qualification, dir_unit
from shared.security.principal import Principal
from shared.web.problems import NotFound, ReferenceNotYetKnown

UNIT, PERSON, QUALIFICATION = insert(dir_unit), insert(dir_person), insert(dir_qualification)
REVOKE = sa.update(dir_qualification).values(revoked_at=sa.bindparam("revoked_at"))
PATHS = ["/hq/", "/hq/gd/", "/hq/gd/gz-1/", "/hq/gd/gz-2/", "/hq/gd-2/", "/hq/gd-2/x/", "/hq/gd.3/", "/hq/GD/"]


def caller(*units):
    return Principal("someone", None, frozenset({"branch_manager"}), units)


@pytest.fixture
async def filled(db, clock):
    now = clock.now()

    async def work(uow):
        for path in PATHS:
            name = path.split("/")[-2]
            await uow.write(
                UNIT, unit=name, parent=None, path=path, kind="branch", code=name, zone="Asia/Shanghai", cutoff="02:00",
                valid_from=now, valid_to=now + timedelta(days=1), sequence=1,
            )  # fmt: skip
        await uow.write(PERSON, person="T1", unit="gz-1", post="teller", active=True, sequence=1)
        for code in ("wealth", "fx"):
            await uow.write(
                QUALIFICATION, qualification=f"Q-{code}", person="T1", code=code, valid_from=now,
                valid_to=now + timedelta(days=365), revoked_at=None, sequence=1,
            )  # fmt: skip

    await db.write(work, actor="test")
    return db


async def test_a_unit_in_the_callers_tree_is_found(filled, clock):
    for units in (("gz-1",), ("gd",), ("hq",), ("*",), ("gz-2", "gz-1")):
        found = await filled.read(lambda reads, units=units: replica.branch(reads, caller(*units), "gz-1"))
        assert (found.id, found.path, found.kind, found.zone, found.cutoff) == (
            "gz-1", "/hq/gd/gz-1/", "branch", "Asia/Shanghai", "02:00",
        )  # fmt: skip
    assert found.business_date(clock.now()).isoformat() == "2026-03-02"
    assert [found.in_force(clock.now() + timedelta(days=n)) for n in (-1, 0, 1)] == [False, True, False]


async def test_another_units_object_is_404(filled):
    for units in (("gz-2",), ("gd-2",), (), ("gz",), ("GD",)):
        with pytest.raises(NotFound):
            await filled.read(lambda reads, units=units: replica.branch(reads, caller(*units), "gz-1"))


async def test_an_unknown_reference_is_409_with_retry_after(filled):
    for ask in (
        lambda reads: replica.branch(reads, caller("hq"), "new-1"),
        lambda reads: replica.unit(reads, "new-1"),
        lambda reads: replica.subtree(reads, caller("hq"), "new-1"),
        lambda reads: replica.person(reads, "new-1"),
    ):
        with pytest.raises(ReferenceNotYetKnown) as refused:
            await filled.read(ask)
        assert refused.value.status == 409
        assert refused.value.headers == {"Retry-After": "1"}


async def test_a_subtree_holds_what_lies_below_and_nothing_of_a_similar_name(filled):
    units = await filled.read(lambda reads: replica.subtree(reads, caller("hq"), "gd"))
    assert [unit.id for unit in units] == ["gd", "gz-1", "gz-2"]
    everything = await filled.read(lambda reads: replica.subtree(reads, caller("*"), "hq"))
    assert len(everything) == len(PATHS)


async def test_a_person_is_found(filled):
    found = await filled.read(lambda reads: replica.person(reads, "T1"))
    assert found == replica.PersonRow("T1", "gz-1", "teller", True)


async def test_a_qualification_ends_by_the_clock_alone(filled, clock):
    async def missing(at, codes=("wealth", "fx")):
        return await filled.read(lambda reads: replica.qualified(reads, "T1", codes, at))

    start, end, tick = clock.now(), clock.now() + timedelta(days=365), timedelta(microseconds=1)
    assert await missing(start - tick) == {"wealth", "fx"}
    assert await missing(start) == await missing(end - tick) == set()
    assert await missing(end) == {"wealth", "fx"}
    assert await missing(start, ("wealth", "corporate")) == {"corporate"}
    assert await missing(start, ()) == set()


async def test_a_revoked_qualification_counts_until_it_was_revoked(filled, clock):
    revoked = clock.now() + timedelta(days=10)

    async def work(uow):
        await uow.execute(REVOKE, revoked_at=revoked)

    await filled.write(work, actor="test")
    tick = timedelta(microseconds=1)
    for at, gone in ((revoked - tick, set()), (revoked, {"wealth"})):
        assert await filled.read(lambda reads, at=at: replica.qualified(reads, "T1", ["wealth"], at)) == gone
