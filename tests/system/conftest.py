"""A running system with the example bank in it, after a short day of customers."""

import asyncio
from collections.abc import Callable, Iterator

import pytest
from wangdian_client.demo import Scenario, run_demo

from shared.testing.process import RunningSystem
from tests.chaos.flow import settle, wait_for_bank
from tests.chaos.warm import Warm

Command = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def bank(warm: Warm, tmp_path_factory) -> Iterator[RunningSystem]:
    """It runs, and everything that was told has been heard."""
    with RunningSystem(tmp_path_factory.mktemp("bank"), start=warm.launch) as system:
        system.start()
        system.wait_ready()
        wait_for_bank(system)
        asyncio.run(customers(system))
        settle(system)
        yield system


async def customers(system: RunningSystem, seed: int = 1, visits: int = 40) -> None:
    """A short day: some leave, some do not come, many rate, some leave a telephone number."""
    scenario = Scenario(visits=visits, seed=seed, app=0.3, rate=0.8, leave=0.1, windows=2)
    tally = await run_demo(system.base_url, scenario, system.token)
    assert tally.complete


@pytest.fixture
def wangdian(warm: Warm, bank: RunningSystem, tmp_path) -> Command:
    """Runs a command of `wangdian` beside the system: its exit code and what it said."""

    def command(*arguments: str) -> tuple[int, str]:
        return warm.run(arguments, bank.environment, tmp_path / "said")

    return command
