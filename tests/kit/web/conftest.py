"""The tally over HTTP, on both databases."""

import pytest

from shared.testing.system import system
from shared.testing.tally.spec import SPEC
from shared.testing.tally.tables import ALL


@pytest.fixture
def dialect(request):
    """SQLite, unless a test asks for both: most of HTTP does not meet the database."""
    return getattr(request, "param", "sqlite")


@pytest.fixture
def start(make_db, tmp_path, noon):
    """Opens the tally's application; ``url`` goes on with an earlier database."""

    def go(url=None, **options):
        async def database(spec, context):
            db = await make_db(url, context=context)
            await db.close()
            return db

        return system([SPEC], tmp_path / "data", clock=noon, database=database, **options)

    return go


@pytest.fixture
async def tally(start):
    """The running tally."""
    async with start() as running:
        yield running


async def totals(running):
    """What is kept."""
    rows = await running.runtime("tally").db.read(lambda reads: reads.all(ALL))
    return {row.name: row.amount for row in rows}


@pytest.fixture
def kept():
    """Reads what is kept."""
    return totals
