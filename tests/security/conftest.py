"""A small furnished bank for tests that attack it."""

import pytest_asyncio

from services.registry import load
from shared.testing.system import system
from tests.system.small_bank import furnish


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bank(tmp_path_factory):
    """All services, furnished over HTTP; every event has had its effect."""
    async with system(load(), tmp_path_factory.mktemp("attacked")) as running:
        yield await furnish(running)
