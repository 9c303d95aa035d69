"""Events on the real bus that a service cannot take: one cannot be read, one makes its handler fail."""

import asyncio

from shared.bus.base import Message
from shared.bus.kafka.bus import KafkaBus
from shared.clock import SystemClock
from shared.contracts.queue import Channel, VisitOpened, VisitStatus
from shared.events.envelope import headers_of
from shared.ids import uuid7
from shared.testing.stack.stack import Stack
from tests.distributed.tools import wangdian

SENT: set[str] = set()
"""Subjects of all that was sent: whoever reads the topics afterwards leaves them out."""


def visit_that_fails() -> Message:
    """A visit with a wait that no column holds: it can be read, and its handler fails."""
    now, visit = SystemClock().now(), uuid7()
    data = VisitOpened(
        visit=visit, unit="gz-001", business_date=now.date(), number="P001", service="cash", ticket_class="ordinary",
        channel=Channel.KIOSK, status=VisitStatus.WAITING, issued_at=now, wait_seconds=10**30,
    )  # fmt: skip
    headers = headers_of(
        event_id=uuid7(), service="queue", data=data, subject=visit, sequence=1, occurred_at=now, recorded_at=now,
        origin="live", traceparent="",
    )  # fmt: skip
    return Message(data.topic, visit, headers, data.write())


def unreadable() -> Message:
    """An event of a type that is subscribed to, whose data were cut off on the way."""
    whole = visit_that_fails()
    return Message(whole.topic, whole.key, whole.headers, whole.value[:40])


def send(stack: Stack, *messages: Message) -> None:
    """Put them on the bus."""

    SENT.update(message.key for message in messages)

    async def told() -> None:
        assert stack.kafka is not None
        bus = KafkaBus(stack.kafka.connection())
        await bus.open()
        try:
            assert list(await bus.publish(messages)) == [None] * len(messages)
        finally:
            await bus.close()

    asyncio.run(told())


def letters(stack: Stack) -> dict[str, tuple[str, str]]:
    """Subject -> (letter, state) of the aggregator's open letters, as an operator lists them."""
    said = wangdian(stack, "events", "list", "--service", "aggregator", "--url", stack.operations).splitlines()
    return {line.split()[3]: (line.split()[0], line.split()[1]) for line in said}
