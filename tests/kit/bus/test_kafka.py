"""Apache Kafka keeps the contract of a bus, and what is its own."""

import pytest

from tests.kit.bus import contract
from tests.kit.bus.kafka_rig import Named


@pytest.fixture
async def reopen(kafka):
    """Opens a bus with the test's topics; a second call closes it and opens another on them."""
    opened, prefix = [], None

    async def make():
        nonlocal prefix
        if opened:
            await opened.pop().close()
        bus = Named(kafka, prefix)
        if prefix is None:
            prefix = bus.prefix
            await kafka.make(prefix + "one", prefix + "two", partitions=contract.PARTITIONS)
        await bus.open()
        opened.append(bus)
        return bus

    yield make
    for bus in opened:
        await bus.close()


class TestKafka(contract.BusContract):
    """The contract."""
