"""The embedded log keeps the contract of a bus, and what is its own."""

import importlib.util
from datetime import timedelta
from pathlib import Path

import pytest

from shared.bus.base import BusUnavailable, OffsetOutOfRange, Position
from shared.bus.embedded import EmbeddedBus
from shared.db.errors import DatabaseUnavailable

_found = importlib.util.spec_from_file_location("bus_contract", Path(__file__).with_name("contract.py"))
contract = importlib.util.module_from_spec(_found)
_found.loader.exec_module(contract)


@pytest.fixture
async def reopen(tmp_path, noon):
    """Opens the log of the test; a second call closes it and opens it anew."""
    opened = []

    async def make(partitions=3):
        if opened:
            await opened.pop().close()
        bus = EmbeddedBus(tmp_path / "bus.sqlite3", noon, ["one", "two"], partitions)
        await bus.open()
        opened.append(bus)
        return bus

    yield make
    for bus in opened:
        await bus.close()


class TestEmbedded(contract.BusContract):
    """The contract."""


async def test_old_records_expire_and_a_reader_behind_them_is_told(reopen, noon):
    bus = await reopen()
    await bus.publish([contract.message("a", n) for n in range(3)])
    reader = await contract.join(bus)
    log = (await contract.everything(reader))[0].log
    source = next(s for s in reader.assigned() if s.partition == contract.partition_of("a", 3))
    noon.advance(timedelta(days=15))
    await bus.publish([contract.message("a", 3)])
    await reader.seek(source, Position(1, log))
    assert await bus.expire("one", timedelta(days=14)) == 1
    assert await bus.expire("one", timedelta(days=14)) == 0
    with pytest.raises(OffsetOutOfRange):
        await reader.fetch(limit=10, wait=0)
    assert contract.numbers(await contract.everything(await contract.join(bus), wait=0)) == [3]
    batches = await contract.everything(await contract.join(bus, positions={source: Position(3, log)}), wait=0)
    assert (batches[0].start, batches[0].records[0].offset) == (3, 3)


async def test_a_failing_disk_is_an_outcome_of_every_message(reopen, monkeypatch):
    bus = await reopen()

    async def fail(*_, **__):
        raise DatabaseUnavailable("full")

    monkeypatch.setattr(bus._db, "write", fail)
    assert [type(o) for o in await bus.publish([contract.message("a"), contract.message("b")])] == [
        DatabaseUnavailable
    ] * 2
    monkeypatch.undo()
    assert list(await bus.publish([contract.message("a")])) == [None]


async def test_a_broken_bus_takes_nothing(reopen):
    bus = await reopen()
    bus.broken = BusUnavailable("test")
    assert list(await bus.publish([contract.message("a")])) == [bus.broken]
    bus.broken = None
    assert await contract.everything(await contract.join(bus), wait=0) == []
