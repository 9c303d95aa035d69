"""Several writes in one round trip to PostgreSQL, where nothing can tell the difference.

``uow.write`` says that nobody needs the result before the commit. Such writes wait, and travel as the common table
expressions of one statement, whose parts all see the same snapshot: so only writes to different tables that do not read
one another's are merged, and any statement that touches what waits sends it first. Measured over HTTP: 1.2 of one
statement a row.
"""

import re
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.sql import visitors
from sqlalchemy.sql.dml import UpdateBase

_MARK = re.compile(r"\$(\d+)")
_PLAIN = ("INSERT ", "UPDATE ", "DELETE ")


class Touched(NamedTuple):
    """The table that a statement writes ('' for none) and all that it depends on, its foreign keys' targets too."""

    written: str
    all: frozenset[str]


def touched(statement: Any) -> Touched:
    """What ``statement`` touches."""
    found = {each.name for each in visitors.iterate(statement) if isinstance(each, sa.Table)}
    if not isinstance(statement, UpdateBase):
        return Touched("", frozenset(found))
    target: Any = statement.table
    found.add(target.name)
    found |= {key.column.table.name for key in target.foreign_keys}
    return Touched(target.name, frozenset(found))


class Waiting:
    """Writes that wait for their round trip, in their order."""

    __slots__ = ("_read", "_written", "sqls", "values")

    def __init__(self) -> None:
        self.sqls: list[str] = []
        self.values: list[Any] = []
        self._written: set[str] = set()
        self._read: set[str] = set()

    def holds_up(self, touches: Touched) -> bool:
        """Whether what waits must go first: the statement would see it, or change what it depends on."""
        return bool(self.sqls) and (not self._written.isdisjoint(touches.all) or touches.written in self._read)

    def add(self, sql: str, values: Sequence[Any], touches: Touched) -> bool:
        """Let a write wait; False if it is of a kind that cannot."""
        if not sql.startswith(_PLAIN):
            return False
        self.sqls.append(sql)
        self.values += values
        self._written.add(touches.written)
        self._read |= touches.all
        return True

    def take(self) -> tuple[str, list[Any]]:
        """All of it as one statement; nothing waits any more."""
        taken = merged(tuple(self.sqls)), self.values
        self.__init__()  # type: ignore[misc]
        return taken


@lru_cache(maxsize=1024)
def merged(sqls: tuple[str, ...]) -> str:
    """One statement that does what ``sqls`` do, with their parameters one after the other."""
    parts: list[str] = []
    taken = 0
    for sql in sqls:
        parts.append(_MARK.sub(partial(_moved, by=taken), sql))
        taken += max(map(int, _MARK.findall(sql)), default=0)
    *first, last = parts
    if not first:
        return last
    return "WITH " + ", ".join(f"w{n} AS ({sql})" for n, sql in enumerate(first)) + " " + last


def _moved(mark: re.Match[str], by: int) -> str:
    return f"${int(mark[1]) + by}"
