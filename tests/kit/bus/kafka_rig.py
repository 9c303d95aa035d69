"""Buses on the session's Kafka for tests: topics of a test's own under the names that it uses, quickly closed."""

from dataclasses import replace

from shared.bus.base import TopicPartition
from shared.bus.kafka.bus import KafkaBus
from shared.bus.kafka.connection import KafkaConnection
from shared.ids import uuid7


class Named:
    """A bus on which the topic ``one`` of a test is really ``<test>.one``, and groups are the test's own."""

    def __init__(self, server, prefix=None, **options):
        self.prefix = prefix or f"t{uuid7()}."
        self.bus = KafkaBus(KafkaConnection(server.bootstrap), **options)
        self.members = {}

    async def open(self):
        await self.bus.open()

    async def close(self):
        await self.bus.close()

    async def publish(self, messages):
        return await self.bus.publish([replace(m, topic=self.prefix + m.topic) for m in messages])

    async def extents(self, topics):
        return {self.ours(s): end for s, end in (await self.bus.extents([self.prefix + t for t in topics])).items()}

    async def subscribe(self, group, topics, assigned, *, alone=True):
        """Join; ``alone`` ends this bus's earlier member of the group, as the embedded log knows only one."""
        if alone and group in self.members:
            await self.members[group].close()

        async def stored(sources):
            found = await assigned([self.ours(s) for s in sources])
            return {self.theirs(s): position for s, position in found.items()}

        inner = await self.bus.subscribe(self.prefix + group, [self.prefix + t for t in topics], stored)
        member = self.members[group] = Member(self, inner)
        return member

    def ours(self, source):
        return TopicPartition(source.topic.removeprefix(self.prefix), source.partition)

    def theirs(self, source):
        return TopicPartition(self.prefix + source.topic, source.partition)


class Member:
    """A subscription with the test's names."""

    def __init__(self, named, inner):
        self.named, self.inner = named, inner

    def assigned(self):
        return frozenset(map(self.named.ours, self.inner.assigned()))

    def rewind(self):
        self.inner.rewind()

    async def seek(self, source, position):
        await self.inner.seek(self.named.theirs(source), position)

    async def fetch(self, *, limit, wait):
        batches = await self.inner.fetch(limit=limit, wait=wait)
        return [replace(batch, source=self.named.ours(batch.source)) for batch in batches]

    async def done(self, source, next_offset):
        await self.inner.done(self.named.theirs(source), next_offset)

    async def close(self):
        await self.inner.close()
