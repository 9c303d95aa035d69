"""Three nodes of Kafka on loopback, each broker and controller: what is acknowledged is on two of them."""

import base64
import tempfile
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from shared.bus.kafka.topics import Topics, create
from shared.ids import uuid7
from shared.testing.kafka import Kafka, Node
from shared.testing.ports import free_port
from shared.topics import Topic

NODES = (1, 2, 3)


class Cluster(Kafka):
    """The nodes by number; ``node`` is the first of them."""

    def __init__(self, folder: Path) -> None:
        ports = {number: free_port() for number in NODES}
        controllers = {number: free_port() for number in NODES}
        quorum = ",".join(f"127.0.0.1:{controllers[number]}" for number in NODES)
        self.nodes = {
            number: Node(
                folder / str(number),
                ["base", "plaintext", "three"],
                {
                    "HOST": "127.0.0.1",
                    "PORT": str(ports[number]),
                    "CONTROLLER_PORT": str(controllers[number]),
                    "CONTROLLERS": quorum,
                    "JOIN_DELAY_MS": "0",
                },
                number=number,
            )
            for number in NODES
        }
        super().__init__(self.nodes[1])
        self.bootstrap = ",".join(f"127.0.0.1:{ports[number]}" for number in NODES)
        voters = ",".join(f"{number}@127.0.0.1:{controllers[number]}:{_directory()}" for number in NODES)
        for node in self.nodes.values():
            node.format("--initial-controllers", voters)

    def start(self, numbers: Collection[int] = NODES) -> None:
        """Start these and wait until each serves: alone, none has a quorum."""
        for number in numbers:
            self.nodes[number].launch()
        for number in numbers:
            self.nodes[number].wait()

    def stop(self) -> None:
        """End all of them at once: asked one by one, the last waits for those that are gone."""
        for node in self.nodes.values():
            node.kill()

    async def make_for_real(self, topics: Collection[Topic], partitions: int = 3) -> None:
        """Make topics with the copies and settings of production."""
        connection = self.connection()
        await create(connection, list(topics), replication=len(NODES), partitions=partitions)
        await connection.drain()

    async def leader(self, topic: str, partition: int = 0) -> int:
        """The number of the node that leads the partition now."""
        connection = self.connection()
        asking = Topics(connection)
        try:
            return (await asking.describe([topic]))[topic].leaders[partition]
        finally:
            await asking.close()
            await connection.drain()


def _directory() -> str:
    """The id of a node's storage: sixteen bytes as Kafka writes them."""
    return base64.urlsafe_b64encode(bytes.fromhex(uuid7().replace("-", ""))).decode().rstrip("=")


@contextmanager
def three_nodes() -> Iterator[Cluster]:
    """A running cluster in a temporary folder; ended afterwards."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wangdian-kafka-")))
        cluster = Cluster(folder)
        stack.callback(cluster.stop)
        cluster.start()
        yield cluster
