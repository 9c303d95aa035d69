"""Whole files of every format: each line is accounted for, whatever the bytes."""

import gzip
import json
import random
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.queue.imports.formats import anonymous_bank
from services.queue.imports.formats.registry import FORMATS
from services.queue.imports.parsing import FileParser, parse, parse_stream
from services.queue.imports.rows import Context, Reject, VisitRow
from tests.system.independent_bank import find_month

CONTEXT = Context(ZoneInfo("Asia/Shanghai"), datetime(2026, 11, 25, tzinfo=UTC))
ROWS = (
    b"AA0101,33118,27997683,2,PS,990101,6:55:20,6:55:26,6,6:55:26,6:55:43,17,AGENT,6:55:43,6:56:37,54,MICHAL",
    b"AA0101,33116,9664491,2,PS,990101,0:00:31,0:00:36,5,0:00:36,0:03:09,153,HANG,0:00:00,0:00:00,0,NO_SERVER",
    b"k1,2026-03-02,PS,ordinary,kiosk,served,2026-03-02T09:00:00+08:00,2026-03-02T09:01:00+08:00,,,,30,,3",
    b'{"external_key":"k1","business_date":"2026-03-02","service":"PS","outcome":"left",'
    b'"issued_at":"2026-03-02T09:00:00+08:00","left_at":"2026-03-02T09:10:00+08:00"}',
    ",".join(anonymous_bank.COLUMNS).encode(),
    b"external_key,business_date,service,outcome,issued_at,called_at",
)


def records_in(data: bytes) -> int:
    """The lines of plain bytes, header included, by definition: what line feeds separate, less the empty end."""
    records = [record.removesuffix(b"\r") for record in data.removeprefix(b"\xef\xbb\xbf").split(b"\n")]
    while records and not records[-1]:
        records.pop()
    return len(records)


def check(name: str, data: bytes, cut: int) -> FileParser:
    parser = FileParser(FORMATS[name], CONTEXT)
    records = list(parse(parser, [data[:cut], data[cut:]]))
    accepted = sum(isinstance(record, VisitRow) for record in records)
    rejects = [record for record in records if isinstance(record, Reject)]
    assert (parser.accepted, parser.rejected) == (accepted, len(rejects))
    assert parser.accepted + parser.rejected == parser.lines == len(records)
    numbers = [reject.line_no for reject in rejects]
    assert numbers == sorted(set(numbers))
    for reject in rejects:
        assert len({fault.field for fault in reject.faults}) == len(reject.faults) >= 1
        assert all(re.fullmatch(r"[a-z_+]+", fault.field) for fault in reject.faults)
    return parser


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Real rows with bytes overwritten, removed and put in."""
    data = bytearray(b"\n".join(draw(st.lists(st.sampled_from(ROWS), min_size=1, max_size=6))))
    for _ in range(draw(st.integers(0, 8))):
        at = draw(st.integers(0, len(data)))
        piece = draw(st.sampled_from([b"", b",", b"\n", b"\r\n", b'"', b"\0", b"\xff", b"-", b"9" * 400, b"{", b"\t"]))
        data[at : at + draw(st.integers(0, 4))] = piece
    return bytes(data)


@settings(max_examples=300)
@given(st.sampled_from(sorted(FORMATS)), st.binary(max_size=400) | mutated(), st.integers(0, 600))
def test_every_line_is_accounted_for_whatever_the_bytes(name: str, data: bytes, cut: int) -> None:
    parser = check(name, data, cut)
    if not data.startswith(b"\x1f\x8b"):
        assert records_in(data) - parser.lines in {0, 1}  # the header, where there is one
        packed = check(name, gzip.compress(data), cut)
        assert (packed.lines, packed.rejected_by_code) == (parser.lines, parser.rejected_by_code)


@given(st.binary(max_size=200), st.integers(0, 200))
def test_every_line_is_accounted_for_in_a_broken_gzip(tail: bytes, cut: int) -> None:
    packed = gzip.compress(b"\n".join(ROWS))
    check("anonymous-bank", packed[:cut] + tail, cut)


@pytest.mark.data
def test_every_line_of_a_damaged_real_month_is_accounted_for() -> None:
    path = find_month("1999-01")
    if path is None:
        pytest.skip("the data sets are not beside this checkout")
    dice = random.Random(1999)
    lines = gzip.decompress(path.read_bytes()).split(b"\n")[:6001]
    for at in dice.sample(range(1, 6000), 600):
        cells = lines[at].split(b",")
        cells[dice.randrange(17)] = dice.choice([b"", b"x", b"-1", b"\xff", b"25:00:00", b"a,b", b"1\n2", b"\x00"])
        lines[at] = b",".join(cells)
    data = b"\n".join(lines)
    parser = check("anonymous-bank", data, 100_000)
    assert parser.lines == records_in(data) - 1
    assert parser.rejected_by_code["malformed"] > 400
    assert parser.accepted > 5000


async def test_a_stream_gives_the_same() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for row in ROWS[:2]:
            yield row[:11]
            yield row[11:] + b"\n"

    parser = FileParser(FORMATS["anonymous-bank"], CONTEXT)
    streamed = [record async for record in parse_stream(parser, chunks())]
    assert streamed == list(parse(FileParser(FORMATS["anonymous-bank"], CONTEXT), [b"\n".join(ROWS[:2])]))
    assert parser.lines == parser.accepted == 2


def test_deep_and_huge_json_is_a_reject() -> None:
    for text in ("[" * 60_000, '{"a":' * 10_000, json.dumps({"handling_seconds": 1})[:-2] + "1" * 5_000 + "}"):
        assert check("canonical-ndjson", text.encode(), 10).rejected == 1
