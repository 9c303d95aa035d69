"""Many rows in one PostgreSQL statement: ``INSERT … SELECT … FROM unnest(arrays)`` made from the one-row text.

One round trip and one plan for any number of rows; sent one by one the same rows cost the server several times more.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from shared.db.arrays import WRITERS

_ONE = r"\$\d+::[A-Z]+(?: [A-Z]+)*(?: COLLATE \"C\")?"
_VALUES = re.compile(rf"VALUES \(({_ONE}(?:, {_ONE})*)\)")
_MARK = re.compile(r"\$(\d+)::((?:TIMESTAMP WITH TIME ZONE)|(?:DOUBLE PRECISION)|[A-Z]+)")


class Bulk(NamedTuple):
    """A statement that takes one array a parameter, and how each column of values becomes its array."""

    sql: str
    writers: tuple[Callable[[Sequence[Any]], Any], ...]

    def arrays(self, columns: Sequence[Sequence[Any]]) -> list[Any]:
        """The driver's values for ``columns``, each with a value a row."""
        return [write(column) for write, column in zip(self.writers, columns, strict=True)]


def many_rows(sql: str) -> Bulk | None:
    """The statement for many rows; None where the text is not an INSERT of its parameters alone."""
    found = _VALUES.search(sql)
    if found is None or not sql.startswith("INSERT ") or " RETURNING " in sql:
        return None
    marks = _MARK.findall(found[1])
    if len(_MARK.findall(sql)) != len(marks) or [int(n) for n, _ in marks] != list(range(1, len(marks) + 1)):
        return None
    columns = ", ".join(f"c{n}" for n, _ in marks)
    arrays = ", ".join(f"${n}{'::TEXT' if kind in WRITERS else ''}::{kind}[]" for n, kind in marks)
    # With the rows' order kept: an identity column counts them as they were given.
    rows = f"SELECT {columns} FROM unnest({arrays}) WITH ORDINALITY AS given({columns}, place) ORDER BY place"  # nosec B608 # noqa: S608 - column names of our own and the compiler's type names
    return Bulk(sql[: found.start()] + rows + sql[found.end() :], tuple(WRITERS.get(kind, list) for _, kind in marks))


def takes_equal_keys(sql: str) -> bool:
    """Whether the rows of one statement may hit the same row: an update on conflict may not change a row twice."""
    return " DO UPDATE " not in sql
