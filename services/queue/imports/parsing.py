"""A file in chunks of bytes to visits and rejects, counted on the way."""

from collections import Counter
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator

from services.queue.imports.formats.base import Format
from services.queue.imports.inflating import Damage
from services.queue.imports.lines import Line, LineReader
from services.queue.imports.rows import Context, Reject, VisitRow


class FileParser:
    """Parses one file.

    INVARIANT: ``accepted + rejected == lines`` at any time, whatever the bytes; a line lost between reader and format
    would break it. Proven by ``test_parsing.py::test_every_line_is_accounted_for_whatever_the_bytes``.
    """

    def __init__(self, format_: Format, context: Context) -> None:
        self.accepted = 0
        self.rejected_by_code: Counter[str] = Counter()
        self._reader = LineReader()
        self._parser = format_.parser(context)

    @property
    def rejected(self) -> int:
        """Lines that are not visits."""
        return self.rejected_by_code.total()

    @property
    def lines(self) -> int:
        """Lines read so far: neither the header nor empty lines at the end of the file."""
        return self.accepted + self.rejected

    @property
    def damage(self) -> Damage | None:
        """Why the upload could not be read to its end (its last line is then a reject), else None."""
        return self._reader.damage

    def feed(self, chunk: bytes) -> Iterator[VisitRow | Reject]:
        """What the lines completed by ``chunk`` become; the iterator must be used up before the next call."""
        return self._records(self._reader.feed(chunk))

    def close(self) -> Iterator[VisitRow | Reject]:
        """What is left at the end of the file."""
        return self._records(self._reader.close())

    def _records(self, lines: Iterable[Line]) -> Iterator[VisitRow | Reject]:
        for line in lines:
            record = self._parser.parse(line)
            if record is None:
                continue
            if isinstance(record, Reject):
                self.rejected_by_code[record.code] += 1
            else:
                self.accepted += 1
            yield record


def parse(parser: FileParser, chunks: Iterable[bytes]) -> Iterator[VisitRow | Reject]:
    """All records of a file whose chunks are at hand."""
    for chunk in chunks:
        yield from parser.feed(chunk)
    yield from parser.close()


async def parse_stream(parser: FileParser, chunks: AsyncIterable[bytes]) -> AsyncIterator[VisitRow | Reject]:
    """All records of a file that is still arriving."""
    async for chunk in chunks:
        for record in parser.feed(chunk):
            yield record
    for record in parser.close():
        yield record
