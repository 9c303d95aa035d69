"""The port that both databases implement."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol, TypeVar

from shared.db.uow import Reads, UnitContext, Uow

T = TypeVar("T")


class Database(Protocol):
    """One service's database."""

    url: str
    context: UnitContext

    async def open(self) -> None:
        """Connect; the schema is migrated before."""
        ...

    async def close(self) -> None:
        """Finish what was accepted and let go."""
        ...

    async def write(self, unit: Callable[[Uow], Awaitable[T]], *, actor: str, brief: bool = False) -> T:
        """Run ``unit`` in one transaction and return its value once that is durable.

        ``brief`` promises a handful of rows, a few milliseconds: such a unit may run on the loop's own thread.

        Any exception rolls back this unit alone and is raised here. :class:`~shared.db.errors.DatabaseUnavailable`
        means nothing was changed.
        """
        ...

    async def time(self) -> datetime:
        """What the database's own clock says."""
        ...

    async def read(self, unit: Callable[[Reads], Awaitable[T]]) -> T:
        """Run ``unit`` on one consistent snapshot."""
        ...
