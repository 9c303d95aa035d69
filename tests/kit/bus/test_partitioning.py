"""A key's partition is Kafka's, so that both buses agree."""

import pytest

from shared.bus.partitioning import murmur2, partition_of

# org.apache.kafka.common.utils.UtilsTest.testMurmur2
GOLDEN = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize(("data", "signed"), GOLDEN.items())
def test_murmur2_is_kafkas(data, signed):
    assert murmur2(data) == signed & 0xFFFFFFFF


def test_it_agrees_with_the_client_of_kafka():
    from aiokafka.partitioner import DefaultPartitioner

    theirs = DefaultPartitioner()
    for n in range(500):
        key = f"visit-{n}-中文"[: n % 17 + 1]
        assert partition_of(key, 48) == theirs(key.encode(), list(range(48)), list(range(48)))


@pytest.mark.parametrize("partitions", [1, 3, 24, 48, 256])
def test_every_partition_is_used_and_none_beyond(partitions):
    used = {partition_of(f"k{n}", partitions) for n in range(partitions * 40)}
    assert used == set(range(partitions))
