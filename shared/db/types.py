"""Column types that mean the same on both databases."""

import json
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from shared.db.arrays import WRITERS

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
    """The type of a list parameter: the text of an array on PostgreSQL, of a JSON array on SQLite."""

    impl = sa.Text
    cache_ok = True
    element: ClassVar = "TEXT"

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        """A sequence of this type's values to what the driver takes."""
        items = list(value)
        return WRITERS[self.element](items) if dialect.name == "postgresql" else json.dumps(self.plain(items))

    def plain(self, items: list[Any]) -> list[Any]:
        """The values as SQLite keeps them."""
        return items


class NumberList(TextList):
    """The same for whole numbers."""

    cache_ok = True
    element: ClassVar = "BIGINT"


class DateList(TextList):
    """The same for dates, which SQLite keeps as their ISO text."""

    cache_ok = True
    element: ClassVar = "DATE"

    def plain(self, items: list[Any]) -> list[Any]:
        """Dates as text."""
        return [each.isoformat() for each in items]


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
        self.kind = _list_of(column)
        self.param = sa.bindparam(name, type_=self.kind)


@compiles(_AnyOf, "postgresql")
def _any_of_postgres(element: _AnyOf, compiler: SQLCompiler, **kw: Any) -> str:
    column, param = compiler.process(element.column, **kw), compiler.process(element.param, **kw)
    return f"{column} = ANY({param}::{element.kind.element}[])"


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
