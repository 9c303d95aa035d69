"""Cutting bytes into lines: ends, marks, lengths, damage; the same in whatever chunks the bytes come."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.queue.imports.lines import MAX_LINE, Line, LineReader


def read(data: bytes, size: int = 1 << 20) -> list[Line]:
    reader = LineReader()
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    lines = [line for chunk in chunks for line in reader.feed(chunk)]
    return [*lines, *reader.close()]


@pytest.mark.parametrize(
    ("data", "texts"),
    [
        (b"", []),
        (b"\n", []),
        (b"\xef\xbb\xbf", []),
        (b"a", ["a"]),
        (b"a\nb\n", ["a", "b"]),
        (b"a\r\nb\r\n\r\n\n", ["a", "b"]),
        (b"\xef\xbb\xbfa\nb", ["a", "b"]),
        (b"a\n\n\r\nb", ["a", None, None, "b"]),
        (b"\na", [None, "a"]),
        (b"a\x00b\nc", [None, "c"]),
        (b"\xff\nc", [None, "c"]),
        (b"a\rb\nc", [None, "c"]),
        (b"a\tb", ["a\tb"]),
        (b"\xe4\xb8\xad", ["中"]),
        (b"\x1f", [None]),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 1000])
def test_lines(data: bytes, texts: list[str | None], size: int) -> None:
    lines = read(data, size)
    assert [line.text for line in lines] == texts
    assert [line.number for line in lines] == list(range(1, len(texts) + 1))


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_the_longest_line_passes_and_one_byte_more_does_not(end: bytes) -> None:
    data = b"x" * MAX_LINE + end + b"x" * (MAX_LINE + 1) + end + b"y"
    for size in (7_001, 1 << 20):
        assert [line.text and len(line.text) for line in read(data, size)] == [MAX_LINE, None, 1]


def test_an_endless_line_is_not_kept() -> None:
    reader = LineReader()
    for _ in range(50):
        assert list(reader.feed(b"x" * 100_000)) == []
    assert len(reader._rest) == 0
    assert list(reader.close()) == [Line(1, None)]


@given(
    st.binary(max_size=300) | st.lists(st.sampled_from([b"\n", b"\r", b"a", b"\xff", b"\xef\xbb\xbf"])).map(b"".join)
)
def test_chunks_do_not_matter_and_each_record_comes_once(data: bytes) -> None:
    whole = read(data)
    assert read(data, 1) == read(data, 3) == whole
    if not data.startswith(b"\x1f\x8b"):
        records = [record.removesuffix(b"\r") for record in data.removeprefix(b"\xef\xbb\xbf").split(b"\n")]
        while records and not records[-1]:
            records.pop()
        assert len(whole) == len(records)


def test_gzip_in_one_member_or_several() -> None:
    data = b"a,1\nb,2\n" * 40_000
    lines = read(data)
    assert read(gzip.compress(data)) == lines
    assert read(gzip.compress(data[:101]) + gzip.compress(data[101:]) + b"\0" * 9, 5) == lines


@pytest.mark.parametrize(
    ("upload", "damage"),
    [
        (gzip.compress(b"a\nb\nc\n")[:-3], "gzip_truncated"),
        (gzip.compress(b"a\nb\nc\n") + b"tail", "gzip_corrupt"),
        (b"\x1f\x8b not gzip at all", "gzip_corrupt"),
        (gzip.compress(b"x" * 9_000_000), "gzip_ratio"),
    ],
)
def test_a_damaged_upload_ends_in_one_unreadable_line(upload: bytes, damage: str) -> None:
    reader = LineReader()
    lines = [*reader.feed(upload), *reader.close()]
    assert reader.damage == damage
    assert lines[-1].text is None
    assert [line.text for line in lines[:3]] in (["a", "b", "c"], [None])
    assert list(reader.feed(b"more")) == []
