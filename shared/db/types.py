"""Column types that mean the same on both databases."""

import json
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class JsonText(sa.types.TypeDecorator[Any]):
    """A frozen snapshot kept as JSON text; never queried into."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Python value to compact JSON."""
        return None if value is None else _encode(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """JSON to Python value."""
        return None if value is None else json.loads(value)


Bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""Text compared byte by byte whatever the database's locale, so that a range of it is all that begins with a prefix."""


class TextList(sa.types.TypeDecorator[list[str]]):
    """The type of a list parameter: an array on PostgreSQL, a JSON array on SQLite."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """The database's own type for the list."""
        return dialect.type_descriptor(ARRAY(sa.Text()) if dialect.name == "postgresql" else sa.Text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """A sequence of strings to what the driver takes."""
        items = list(value)
        return items if dialect.name == "postgresql" else json.dumps(items)


class NumberList(TextList):
    """The same for whole numbers."""

    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """The database's own type for the list."""
        return dialect.type_descriptor(ARRAY(sa.BigInteger()) if dialect.name == "postgresql" else sa.Text())


class DateList(TextList):
    """The same for dates."""

    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """The database's own type for the list."""
        return dialect.type_descriptor(ARRAY(sa.Date()) if dialect.name == "postgresql" else sa.Text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """A sequence of dates to what the driver takes; SQLite keeps a date as its ISO text."""
        items = list(value)
        return items if dialect.name == "postgresql" else json.dumps([each.isoformat() for each in items])


def _list_of(column: Any) -> TextList:
    if isinstance(column.type, sa.Date):
        return DateList()
    return NumberList() if isinstance(column.type, sa.Integer) else TextList()


class _AnyOf(sa.ColumnElement[bool]):
    """``column`` is one of the values in the list parameter ``name``; one statement text for any length."""

    inherit_cache = False
    type: Any = sa.types.NullType()  # a Boolean would be compared with 1 on SQLite and lose the index

    def __init__(self, column: Any, name: str) -> None:
        self.column = column
        self.param = sa.bindparam(name, type_=_list_of(column))


@compiles(_AnyOf, "postgresql")
def _any_of_postgres(element: _AnyOf, compiler: SQLCompiler, **kw: Any) -> str:
    return f"{compiler.process(element.column, **kw)} = ANY({compiler.process(element.param, **kw)})"


@compiles(_AnyOf, "sqlite")
def _any_of_sqlite(element: _AnyOf, compiler: SQLCompiler, **kw: Any) -> str:
    column, param = compiler.process(element.column, **kw), compiler.process(element.param, **kw)
    return f"{column} IN (SELECT value FROM json_each({param}))"  # nosec B608 # noqa: S608 - both are compiled expressions


def any_of(column: Any, name: str) -> sa.ColumnElement[bool]:
    """A condition: ``column`` equals one of the strings, whole numbers or dates of the list parameter ``name``.

    Unlike ``IN`` with an expanding parameter the statement's text does not depend on the list's length, so it is
    compiled once.
    """
    return _AnyOf(column, name)
