"""The unit of work: one transaction, seen by services as a few verbs.

A unit is an ``async`` function of a :class:`Uow` (or :class:`Reads`). It may await nothing but the unit: on SQLite the
whole coroutine is driven inside the one writer thread, where it never suspends; on PostgreSQL it runs on the loop with
one connection. Commit and rollback belong to the database that runs it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from shared.db.statements import Row, Rows, Statement

if TYPE_CHECKING:
    from shared.contracts.base import EventData
    from shared.events.outgoing import Origin, Outgoing
    from shared.security.records import RecordKeys


class Connection(Protocol):
    """What a database gives a unit: three ways to run a statement."""

    async def fetch(self, statement: Statement, params: Mapping[str, Any]) -> list[Row]:
        """Run and return the rows."""
        ...

    async def run(self, statement: Statement, params: Mapping[str, Any]) -> int:
        """Run and return how many rows were affected."""
        ...

    async def later(self, statement: Statement, params: Mapping[str, Any]) -> None:
        """Run before the commit, and before any statement that could notice."""
        ...

    async def run_many(self, statement: Statement, rows: Rows, *, distinct: bool) -> None:
        """Run once per row, as one batch; ``distinct`` when no two rows have the same key."""
        ...


class Reads:
    """A read-only snapshot. ``now`` is the clock's time, fixed when the unit began."""

    __slots__ = ("_connection", "headers", "now")

    def __init__(self, connection: Connection, now: datetime) -> None:
        self._connection = connection
        self.now = now
        self.headers: dict[str, str] = {}

    async def one(self, statement: Statement, **params: Any) -> Row | None:
        """The first row, or None."""
        rows = await self._connection.fetch(statement, params)
        return rows[0] if rows else None

    async def all(self, statement: Statement, **params: Any) -> list[Row]:
        """Every row; the statement bounds how many."""
        return await self._connection.fetch(statement, params)

    async def scalar(self, statement: Statement, **params: Any) -> Any:
        """The first column of the first row, or None."""
        row = await self.one(statement, **params)
        return None if row is None else row[0]


@dataclass(slots=True)
class UnitContext:
    """What the service's runtime lends to each of its units of work."""

    service: str
    records: "RecordKeys | None" = None
    after_emit: list[Any] = field(default_factory=list)


class Uow(Reads):
    """A write unit. Everything in it is kept together or not at all.

    ``actor`` is the caller's subject, or the name of the handler or loop; ``headers`` go out with the reply
    (``ETag``, ``Location``).
    """

    __slots__ = ("actor", "context", "emitted")

    def __init__(self, connection: Connection, now: datetime, actor: str, context: UnitContext) -> None:
        super().__init__(connection, now)
        self.actor = actor
        self.context = context
        self.emitted = 0

    async def execute(self, statement: Statement, **params: Any) -> int:
        """Run a write now and return how many rows it changed."""
        return await self._connection.run(statement, params)

    async def write(self, statement: Statement, **params: Any) -> None:
        """A write whose result nobody needs before the commit; it may wait and travel with others."""
        await self._connection.later(statement, params)

    async def many(self, statement: Statement, rows: Rows, *, distinct: bool = False) -> None:
        """Run a write once for each row of parameters.

        ``distinct`` promises that no two rows have the same key, so that an upsert may travel as one statement.
        """
        if rows:
            await self._connection.run_many(statement, rows, distinct=distinct)

    async def emit(
        self,
        data: "EventData",
        *,
        subject: str,
        occurred_at: datetime | None = None,
        origin: "Origin" = "live",
        first: bool = False,
    ) -> None:
        """Tell the other services, in this transaction: an outbox row with the subject's next sequence.

        ``first`` says that the subject begins here, so that nobody has to be asked for its sequence; where it had begun
        before, the unit fails.
        """
        from shared.events.outbox import begin
        from shared.events.outgoing import Outgoing

        event = Outgoing(data, subject, occurred_at or self.now, origin)
        if first:
            await begin(self, event)
            self.emitted += 1
        else:
            await self.emit_many([event])

    async def emit_many(self, events: "Sequence[Outgoing]") -> None:
        """Tell many events, in their order."""
        from shared.events.outbox import store

        await store(self, events)
        self.emitted += len(events)

    async def audit(
        self,
        action: str,
        *,
        object_type: str,
        object_id: str,
        unit: str | None = None,
        purpose: str | None = None,
        detail: Mapping[str, str | int | bool | None] | None = None,
    ) -> None:
        """Record who did what to which object; codes and references only, never a name or free text."""
        from shared.security.audit_log import record

        await record(
            self,
            action=action,
            object_type=object_type,
            object_id=object_id,
            unit=unit,
            purpose=purpose,
            detail=detail or {},
        )

    async def seal(self, table: str, row: str, column: str, value: str) -> str:
        """Encrypt a personal value under its record's own key; the text that the column keeps."""
        return await self.records.seal(self, table, row, column, value)

    async def reveal(self, table: str, row: str, column: str, sealed: str, *, purpose: str) -> str:
        """Decrypt a personal value; who, why and which record go to the audit log in this transaction."""
        await self.audit("reveal", object_type=table, object_id=row, purpose=purpose, detail={"column": column})
        return await self.records.open(self, table, row, column, sealed)

    @property
    def records(self) -> "RecordKeys":
        """The keys of this service's personal data and link tokens."""
        if self.context.records is None:
            raise RuntimeError(f"{self.context.service} has no keys for personal data")
        return self.context.records
