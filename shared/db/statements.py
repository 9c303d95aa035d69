"""Statements built once at import and compiled once per database."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from operator import itemgetter
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as _insert
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.sql.dml import ReturningInsert
from sqlmodel.sql.sqltypes import UTCDateTime

from shared.db.bulk import Bulk, many_rows
from shared.db.merging import Touched, touched

POSTGRES: Any = PGDialect_asyncpg()  # type: ignore[no-untyped-call]
SQLITE = SQLiteDialect_pysqlite(paramstyle="qmark")
SQLITE.insert_returning = SQLITE.update_returning = SQLITE.delete_returning = True

Statement = sa.sql.expression.Executable
Row = Any  # a named tuple made for its statement: attributes by column name
Rows = Sequence[Mapping[str, Any]] | Mapping[str, Sequence[Any]]
"""Rows of parameters: one by one, or by column, with a value a row under each name."""


class Prepared(NamedTuple):
    """A statement ready for a driver: text, parameters in order, converters by position, and how to make a row."""

    sql: str
    order: tuple[str, ...]
    defaults: Mapping[str, Any]
    row: Callable[[Iterable[Any]], Row] | None
    pick: Callable[[Mapping[str, Any]], Iterable[Any]]
    busy: tuple[tuple[int, Callable[[Any], Any]], ...]
    bulk: Bulk | None
    touched: Touched

    def values(self, params: Mapping[str, Any]) -> list[Any]:
        """The driver's positional values for ``params``; a missing one is a KeyError with its name."""
        if self.defaults:
            params = {**self.defaults, **params}
        out = self._picked(params)
        for i, bind in self.busy:
            out[i] = bind(out[i])
        return out

    def columns(self, rows: Rows) -> list[Sequence[Any]]:
        """The same for many rows, the values of each parameter."""
        if isinstance(rows, Mapping):
            count = len(next(iter(rows.values())))
            out = self._picked({**{name: [value] * count for name, value in self.defaults.items()}, **rows})
        elif self.defaults:
            out = list(zip(*[self._picked({**self.defaults, **row}) for row in rows], strict=True))
        else:
            out = list(zip(*map(self._picked, rows), strict=True))
        for i, bind in self.busy:
            out[i] = list(map(bind, out[i]))
        return out

    def _picked(self, params: Mapping[str, Any]) -> list[Any]:
        try:
            return list(self.pick(params))
        except KeyError as missing:
            raise KeyError(f"the statement needs the parameter {missing.args[0]!r}") from None


def _picker(names: tuple[str, ...]) -> Callable[[Mapping[str, Any]], Iterable[Any]]:
    """Takes the named values out of a mapping, in this order, at the speed of C."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda params: [params[name] for name in names]


def _aware(value: datetime | None) -> datetime | None:
    """An instant as PostgreSQL's driver takes it, in whatever zone."""
    if value is not None and value.utcoffset() is None:
        raise ValueError("an instant needs its offset")
    return value


def _utc_text(value: datetime | None) -> str | None:
    """What SQLAlchemy's SQLite type writes for an instant, at a fifth of its cost."""
    if value is None or _aware(value) is None:
        return None
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def _day_text(value: date | None) -> str | None:
    """The same for a day."""
    return None if value is None else date.isoformat(value)


def _row_maker(compiled: Any, dialect: Any) -> Callable[[Iterable[Any]], Row] | None:
    columns = compiled._result_columns
    if not columns:
        return None
    kind: Any = NamedTuple("Row", [(column.keyname, Any) for column in columns])  # type: ignore[misc]
    converters = [column.type._cached_result_processor(dialect, None) for column in columns]
    busy = [(i, convert) for i, convert in enumerate(converters) if convert is not None]
    if not busy:
        return kind._make

    def make(raw: Iterable[Any]) -> Row:
        values = list(raw)
        for i, convert in busy:
            values[i] = convert(values[i])
        return kind._make(values)

    return make


class Compiler:
    """Compiles each statement once for one database and remembers the result."""

    def __init__(self, dialect: Any) -> None:
        self._dialect = dialect
        self._cache: dict[int, tuple[Statement, Prepared]] = {}

    def __call__(self, statement: Statement) -> Prepared:
        """The prepared form of ``statement`` (cached by identity; statements live as long as their module)."""
        hit = self._cache.get(id(statement))
        if hit is not None:
            return hit[1]
        compiled: Any = statement.compile(dialect=self._dialect)  # type: ignore[attr-defined]
        required = {bind.key for bind in compiled.binds.values() if bind.required}
        # Literal lists (IN) are written out here, once: they are part of the statement, unlike required parameters.
        written = compiled.construct_expanded_state(dict.fromkeys(required))
        order = tuple(written.positiontup or ())
        binders = {**compiled._bind_processors, **written.processors}
        instants = [name for bind, name in compiled.bind_names.items() if isinstance(bind.type, UTCDateTime)]
        binders |= dict.fromkeys(instants, _utc_text if self._dialect is SQLITE else _aware)
        if self._dialect is SQLITE:
            days = (name for bind, name in compiled.bind_names.items() if isinstance(bind.type, sa.Date))
            binders |= dict.fromkeys(days, _day_text)
        prepared = Prepared(
            written.statement,
            order,
            {name: value for name, value in written.parameters.items() if name not in required},
            _row_maker(compiled, self._dialect),
            _picker(order),
            tuple((i, binders[name]) for i, name in enumerate(order) if name in binders),
            many_rows(written.statement) if self._dialect is POSTGRES else None,
            touched(statement),
        )
        self._cache[id(statement)] = (statement, prepared)
        return prepared


def table(model: Any) -> sa.Table:
    """The table of a SQLModel class."""
    return model.__table__


def insert(target: sa.Table, *, without: Sequence[str] = ()) -> Any:
    """INSERT of every column but ``without``; each parameter has its column's name."""
    names = [c.name for c in target.columns if c.name not in without]
    values = {name: sa.bindparam(name, type_=target.c[name].type) for name in names}
    # Inline: nobody reads a generated key that was not asked for.
    return _insert(target).values(values).inline()


def upsert(
    target: sa.Table,
    keys: Sequence[str],
    update: Sequence[str] | Mapping[str, Any] | None,
    *,
    where: Callable[[Any, Any], Any] | None = None,
    without: Sequence[str] = (),
    index_where: Any = None,
    rows: Any = None,
) -> Any:
    """INSERT … ON CONFLICT on both databases.

    ``keys`` name the unique columns (none: any unique constraint, where nothing is updated); ``update`` the columns
    taken from the new row (or a mapping of expressions), ``None`` does nothing on conflict. ``where(table, new)`` may
    guard the update, e.g. by a newer sequence. Add ``.returning(…)`` to learn whether a row was written.

    ``rows`` is a SELECT of columns of ``target`` by name whose rows are put instead of one row of parameters; it needs
    a WHERE, without which SQLite reads ON CONFLICT as the condition of a join.
    """
    if rows is None:
        statement = insert(target, without=without)
    else:
        statement = _insert(target).from_select([column.key for column in rows.selected_columns], rows)
    if update is None:
        return statement.on_conflict_do_nothing(index_elements=list(keys) or None, index_where=index_where)
    new = statement.excluded
    changes = dict(update) if isinstance(update, Mapping) else {name: new[name] for name in update}
    condition = None if where is None else where(target.c, new)
    return statement.on_conflict_do_update(
        index_elements=list(keys), index_where=index_where, set_=changes, where=condition
    )


__all__ = [
    "POSTGRES",
    "SQLITE",
    "Compiler",
    "Prepared",
    "ReturningInsert",
    "Row",
    "Rows",
    "Statement",
    "insert",
    "table",
    "upsert",
]
