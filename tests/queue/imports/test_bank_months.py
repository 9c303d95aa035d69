"""Both months of the real bank through the front door: exact figures, and nothing happens because of history."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from services.queue.spec import SPEC as QUEUE
from services.queue.tickets.models import Visit
from services.surveys.invitations.models import Invitation
from services.surveys.spec import SPEC as SURVEYS
from shared.clock import FixedClock
from shared.db.statements import table
from shared.db.tables import outbox
from shared.testing.bank import SMALL_BANK, learn
from shared.testing.system import system
from tests.queue.imports.conftest import NOW, Importing
from tests.system.independent_bank import find_month, read_month

FORMAT = "anonymous-bank"
_visit = table(Visit)
BY_STATUS = sa.select(_visit.c.status, sa.func.count().label("visits")).group_by(_visit.c.status)
WAITS = sa.select(sa.func.sum(_visit.c.wait_seconds), sa.func.sum(_visit.c.handling_seconds))
EVENTS = sa.select(sa.func.count(), sa.func.max(outbox.c.seq)).select_from(outbox)
INVITATIONS = sa.select(sa.func.count()).select_from(table(Invitation))


@pytest.mark.data
async def test_both_months_are_visits_and_nobody_is_invited(tmp_path: Path) -> None:
    months = [find_month("1999-01"), find_month("1999-02")]
    if None in months:
        pytest.skip("the data sets are not beside this checkout")
    async with system([QUEUE, SURVEYS], tmp_path, clock=FixedClock(NOW)) as running:
        imports = Importing(running)
        surveys = running.runtime("surveys")
        await learn(imports.runtime.db, *SMALL_BANK)
        await learn(surveys.db, *SMALL_BANK)
        reports = [await imports.done(path.read_bytes(), FORMAT) for path in months]
        await running.settle()

        january, february = [read_month(path) for path in months]
        assert [(r["lines"], r["accepted"], r["rejected_by_code"]) for r in reports] == [
            (31_599, 30_161, {"phantom": 240, "no_ticket": 1_198}),
            (33_344, 31_125, {"phantom": 278, "no_ticket": 1_941}),
        ]
        assert {row.status: row.visits for row in await imports.rows(BY_STATUS)} == {
            "served": 27_060 + 27_162,
            "left": 3_101 + 3_963,
        }
        totals = [january.total(), february.total()]
        (sums,) = await imports.rows(WAITS)
        assert tuple(sums) == (
            sum(sum(t.waits) + sum(t.left_after) for t in totals),
            sum(sum(t.handling) for t in totals),
        )

        told = await imports.rows(EVENTS)
        assert told[0][0] == 30_161 + 31_125
        assert await surveys.db.read(lambda reads: reads.scalar(INVITATIONS)) == 0
        assert await surveys.db.read(lambda reads: reads.scalar(sa.select(sa.func.count()).select_from(outbox))) == 0

        again = await imports.done(months[0].read_bytes(), FORMAT)
        assert (again["accepted"], again["unchanged"], again["rejected"]) == (30_161, 30_161, 1_438)
        assert await imports.rows(EVENTS) == told
