"""What a service is made of, as data: the composition root reads it and nothing else."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from fastapi import APIRouter

from shared.events.handlers import Handler
from shared.security.scopes import DeviceDoor
from shared.web.pages import PageRouter

if TYPE_CHECKING:
    from shared.runtime import ServiceRuntime

Turn = Callable[[], Awaitable[int]]
"""One turn of a loop; returns how much it did, 0 lets it rest for its interval."""


@dataclass(frozen=True, slots=True)
class LoopSpec:
    """A background loop of a service: ``make(runtime)`` gives its turn; it rests ``interval`` seconds when idle."""

    name: str
    make: Callable[["ServiceRuntime"], Turn]
    interval: float = 1.0


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """A service: routes, tables, what it tells, what it hears, its loops.

    ``directory`` asks for the replica of the organisation; ``collector`` gives Prometheus business metrics from the
    service's tables; ``pages`` are its screens, feature by feature; ``prepare`` runs once after the migrations, before
    anything is served; ``uploads`` are paths that take large bodies; ``devices`` lets the bank's own devices in;
    ``keeps_sessions`` marks the one service in whose database people's sessions are.
    """

    name: str
    routers: Sequence[APIRouter]
    metadata: sa.MetaData
    migrations: str
    produces: Sequence[str] = ()
    handlers: Sequence[Handler] = ()
    loops: Sequence[LoopSpec] = ()
    directory: bool = True
    collector: Callable[["ServiceRuntime"], Awaitable[Any]] | None = None
    prepare: Callable[["ServiceRuntime"], Awaitable[None]] | None = None
    uploads: Sequence[str] = field(default=())
    pages: Sequence[PageRouter] = ()
    devices: Callable[["ServiceRuntime"], DeviceDoor] | None = None
    keeps_sessions: bool = False

    @property
    def subscribes(self) -> frozenset[str]:
        """The topics whose events it handles."""
        return frozenset(kind.topic for handler in self.all_handlers for kind in handler.kinds)

    @property
    def all_handlers(self) -> tuple[Handler, ...]:
        """The directory's projections, if asked for, before the service's own handlers."""
        if not self.directory:
            return tuple(self.handlers)
        from shared.directory.handlers import HANDLERS

        return (*HANDLERS, *self.handlers)
