"""What is sent to a Kafka that stumbles: every outcome is true, nothing acknowledged is lost, order holds."""

import asyncio
import signal
from dataclasses import replace

import pytest

from shared.bus.base import BusUnavailable, Message, TopicPartition
from shared.bus.kafka import sender as sender_module
from shared.bus.kafka.sender import MessageTooLarge
from shared.testing.kafka import kafka_server
from shared.topics import MAX_MESSAGE
from tests.kit.bus import contract
from tests.kit.bus.kafka_rig import Named


@pytest.fixture(scope="module")
def broker():
    """A Kafka of this module's own, to be killed."""
    with kafka_server() as server:
        yield server


@pytest.fixture
async def bus(broker):
    """A bus on it."""
    made = Named(broker)
    await broker.make(made.prefix + "one")
    await made.open()
    yield made
    await made.close()


async def test_a_message_that_no_topic_takes_holds_up_nothing(bus):
    big = contract.message("a", 2, value=b"x" * MAX_MESSAGE)
    outcomes = await bus.publish([contract.message("a", 1), big, contract.message("a", 3)])
    assert [type(outcome) for outcome in outcomes] == [type(None), MessageTooLarge, type(None)]
    producer = bus.bus._sender._producer
    assert list(await bus.publish([contract.message("a", 4)])) == [None]
    assert bus.bus._sender._producer is producer
    assert contract.numbers(await contract.everything(await contract.join(bus))) == [1, 3, 4]


async def test_a_large_batch_keeps_its_order(bus):
    sent = [contract.message("a", n, value=b"%d" % n * 9_000) for n in range(60)]
    assert set(await bus.publish(sent)) == {None}
    assert contract.numbers(await contract.everything(await contract.join(bus))) == list(range(60))


async def test_a_send_that_timed_out_is_told_and_the_producer_is_another_afterwards(bus, broker, monkeypatch):
    assert list(await bus.publish([contract.message("a", 0)])) == [None]
    before = bus.bus._sender._producer
    monkeypatch.setattr(sender_module, "SEND_TIMEOUT", 0.5)
    monkeypatch.setattr(sender_module, "START_TIMEOUT", 0.5)
    broker.node.send(signal.SIGSTOP)
    try:
        begun = asyncio.get_running_loop().time()
        outcomes = await bus.publish([contract.message("a", 1), contract.message("b", 2)])
        again = await bus.publish([contract.message("a", 1)])
        assert asyncio.get_running_loop().time() - begun < 5
    finally:
        broker.node.send(signal.SIGCONT)
    assert [type(o) for o in (*outcomes, *again)] == [BusUnavailable] * 3
    monkeypatch.undo()
    assert list(await bus.publish([contract.message("a", n) for n in (1, 2, 3)])) == [None] * 3
    assert bus.bus._sender._producer is not before
    # What timed out may have arrived all the same, before what was sent after it.
    found = contract.numbers(await contract.everything(await contract.join(bus)), "a")
    assert found[0] == 0
    assert found[-3:] == [1, 2, 3]
    assert set(found) == {0, 1, 2, 3}


async def test_a_broker_killed_under_load_loses_nothing(bus, broker):
    """A sender that repeats what failed, as the relay does; each key's first arrivals are in order."""
    sent = dict.fromkeys("abcdef", 0)
    stop = asyncio.Event()

    async def speak():
        while not stop.is_set():
            batch = [Message("one", key, {"n": str(n), "key": key}, b"x") for key, n in sent.items()]
            outcomes = await bus.publish(batch)
            for message, outcome in zip(batch, outcomes, strict=True):
                if outcome is None:
                    sent[message.key] += 1
            await asyncio.sleep(0.01 if outcomes[0] is None else 0.2)

    speaking = asyncio.create_task(speak())
    await asyncio.sleep(0.5)
    await asyncio.to_thread(broker.node.kill)
    await asyncio.sleep(0.3)
    await asyncio.to_thread(broker.node.start)
    reached = dict(sent)
    async with asyncio.timeout(30):
        while any(sent[key] <= reached[key] + 3 for key in sent):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    stop.set()
    await speaking
    batches = await contract.everything(await contract.join(bus))
    seen = {key: [] for key in sent}
    for batch in batches:
        for key in sent:
            if batch.source == TopicPartition("one", contract.partition_of(key, 3)):
                seen[key] += [int(record.headers["n"]) for record in batch.records if record.headers["key"] == key]
    for key, count in sent.items():
        first = list(dict.fromkeys(seen[key]))
        assert first[:count] == list(range(count)), key


async def test_keys_of_a_topic_that_is_gone_wait_and_others_go_on(bus, broker, monkeypatch):
    monkeypatch.setattr(sender_module, "SEND_TIMEOUT", 2.0)
    await broker.make(bus.prefix + "gone")
    assert list(await bus.publish([contract.message("a", 1, "gone")])) == [None]
    await broker.remove(bus.prefix + "gone")
    await asyncio.sleep(0.5)
    sent = [contract.message("a", 1, "gone"), contract.message("a", 2)]
    first, second = await bus.publish([replace(one) for one in sent])
    assert isinstance(first, BusUnavailable)
    if second is not None:
        first, second = await bus.publish(sent)
    assert (type(first), second) == (BusUnavailable, None)
