"""Use cases of the windows below HTTP: what a running window keeps, and the hall's lock row."""

import sqlalchemy as sa

from services.queue.windows import queries, service
from services.queue.windows.models import Hall as HallRow
from services.queue.windows.models import WindowService
from services.queue.windows.schemas import OpenWindow, WindowSetUp
from shared.db.statements import table
from shared.directory import replica


async def test_setting_a_window_up_again_keeps_its_state_and_version(hall):
    await hall.open(1, "T0001", "cash")
    row = await hall.db.write(
        lambda uow: service.set_up(uow, "gz-001", "1", WindowSetUp(services=["info"])), actor="test"
    )
    assert (row.state, row.staff, row.configured, row.version) == ("open", "T0001", ["info"], 2)


async def test_each_branch_has_one_hall_whose_count_grows_with_each_choice(hall):
    halls = await hall.rows(sa.select(table(HallRow)).order_by(table(HallRow).c.unit))
    assert [(row.unit, row.seq) for row in halls if row.unit == "gz-001"] == [("gz-001", 0)]
    await hall.open(1, "T0001", "cash")
    await hall.issue()
    await hall.call(1)
    seq = await hall.db.read(
        lambda reads: reads.scalar(sa.select(table(HallRow).c.seq).where(table(HallRow).c.unit == "gz-001"))
    )
    assert seq == 1


async def test_a_closed_window_serves_nothing_and_one_on_a_break_keeps_what_it_serves(hall):
    served = sa.select(table(WindowService)).order_by(table(WindowService).c.no, table(WindowService).c.service)
    await hall.open(1, "T0001", "cash", "fx")
    await hall.open(2, "T0002", "wealth")
    await hall.window(1, "break")
    await hall.window(2, "close", "T0002")
    assert [(row.no, row.service) for row in await hall.rows(served)] == [("1", "cash"), ("1", "fx")]


async def test_a_refused_opening_leaves_no_row_behind(hall):
    before = await hall.rows(queries.WINDOW, unit="gz-001", no="1")

    async def unit(uow):
        return await service.open_window(
            uow, await replica.unit(uow, "gz-001"), "1", "T0005", OpenWindow(services=["fx"])
        )

    try:
        await hall.db.write(unit, actor="test")
    except service.NotQualified as refused:
        (told,) = refused.tell
        assert (told.subject, told.data.staff) == ("window:gz-001:1", "T0005")
    else:
        raise AssertionError("opened without the qualification")
    assert await hall.rows(queries.WINDOW, unit="gz-001", no="1") == before
    assert await hall.rows(sa.select(table(WindowService))) == []
