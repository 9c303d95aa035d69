"""``canonical-csv``: our own columns as CSV, one record on one physical line. Described in ``FORMATS.md``."""

from services.queue.imports.formats import canonical, cells
from services.queue.imports.lines import Line
from services.queue.imports.rows import Code, Context, Reject, VisitRow, reject


class CanonicalCsv:
    """The format's entry in the registry."""

    name = "canonical-csv"

    def parser(self, context: Context) -> "CanonicalCsvParser":
        """A parser for one file."""
        return CanonicalCsvParser(context)


class CanonicalCsvParser:
    """Reads one file. A first line that holds the cell ``external_key`` is the header and sets the order of columns."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._first = True
        self._columns: tuple[str, ...] = canonical.COLUMNS
        self._header_fault: Code | None = None

    def parse(self, line: Line) -> VisitRow | Reject | None:
        """The line as a visit or a reject; None for the header. Under a wrong header every line is a reject."""
        first, self._first = self._first, False
        fields = None if line.text is None else cells.split(line.text)
        if fields is None:
            return reject(line.number, "line", "malformed")
        if first and "external_key" in fields:
            self._read_header(fields)
            return None
        if self._header_fault is not None:
            return reject(line.number, "header", self._header_fault)
        if len(fields) != len(self._columns):
            return reject(line.number, "line", "malformed")
        return canonical.visit(line.number, dict(zip(self._columns, fields, strict=True)), self._context)

    def _read_header(self, fields: list[str]) -> None:
        self._columns = tuple(fields)
        if set(fields) - set(canonical.COLUMNS):
            self._header_fault = "unknown_field"
        elif len(set(fields)) != len(fields):
            self._header_fault = "malformed"
