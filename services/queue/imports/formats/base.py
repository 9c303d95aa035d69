"""What a format is: a name, and a parser that turns one line after the other into visits and rejects."""

from typing import Protocol

from services.queue.imports.lines import Line
from services.queue.imports.rows import Context, Reject, VisitRow


class Parser(Protocol):
    """Reads the lines of one file in order. It may remember the header, and nothing else."""

    def parse(self, line: Line) -> VisitRow | Reject | None:
        """The line as a visit or a reject; None for the header, which is no record."""
        ...


class Format(Protocol):
    """A kind of file."""

    @property
    def name(self) -> str:
        """The name a caller gives, for example ``anonymous-bank``."""
        ...

    def parser(self, context: Context) -> Parser:
        """A parser for one file."""
        ...
