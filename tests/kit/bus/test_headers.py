"""Headers of Kafka are text where they are asked for."""

import pytest

from shared.bus.kafka import headers as module
from shared.bus.kafka.headers import Headers

PAIRS = (("ce_id", b"1"), ("ce_type", "访".encode()), ("ce_subject", b"\xff\xfe"), ("ce_id", b"2"))


def test_they_read_like_a_mapping():
    headers = Headers(PAIRS)
    assert headers == {"ce_id": "1", "ce_type": "访", "ce_subject": "\ufffd\ufffd"}
    assert (len(headers), list(headers), headers.get("x"), headers.get("x", 5)) == (
        3, ["ce_id", "ce_type", "ce_subject"], None, 5
    )  # fmt: skip
    assert "ce_id" in headers
    assert "x" not in headers
    with pytest.raises(KeyError, match="'x'"):
        headers["x"]


def test_an_order_that_was_learnt_misleads_nobody():
    for pairs in (PAIRS, PAIRS[::-1], PAIRS[1:2], (), PAIRS):
        headers = Headers(pairs)
        expected = {name: value.decode("utf-8", "replace") for name, value in reversed(pairs)}
        assert dict(headers) == expected
        for name in ("ce_id", "ce_type", "ce_subject", "other"):
            assert headers.get(name) == expected.get(name)


def test_names_that_others_write_are_not_kept_for_ever():
    for n in range(500):
        assert Headers(((f"name-{n}", b"v"),)).get(f"name-{n}") == "v"
    assert len(module._PLACES) <= module._NAMES
