"""How a service declares what it does with events of others: ``@project`` and ``@react``."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from shared.contracts.base import EventData
from shared.db.uow import Uow
from shared.events.envelope import Event

ProjectFunction = Callable[[Uow, Sequence[Event[Any]]], Awaitable[None]]
ReactFunction = Callable[[Uow, Event[Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Projection:
    """Sees every event, live or imported, fresh or replayed, in batches; guards by (subject, sequence) in its rows.

    ``states``: each event tells all that is known of its subject, so of several in a batch only the newest need come.
    """

    name: str
    kinds: tuple[type[EventData], ...]
    apply: ProjectFunction
    states: bool = False


@dataclass(frozen=True, slots=True)
class Reaction:
    """Sees only live events younger than ``max_age``, each exactly once (the kit keeps an inbox)."""

    name: str
    kinds: tuple[type[EventData], ...]
    apply: ReactFunction
    max_age: timedelta


Handler = Projection | Reaction


def project(*kinds: type[EventData], states: bool = False) -> Callable[[ProjectFunction], Projection]:
    """Declare a projection of these event types; the function takes the unit of work and a batch in order."""

    def declare(function: ProjectFunction) -> Projection:
        return Projection(_name(function), kinds, function, states)

    return declare


def react(*kinds: type[EventData], max_age: timedelta) -> Callable[[ReactFunction], Reaction]:
    """Declare a reaction to these event types; importing history or replaying an old log never triggers it."""

    def declare(function: ReactFunction) -> Reaction:
        return Reaction(_name(function), kinds, function, max_age)

    return declare


def _name(function: Any) -> str:
    # services.surveys.invitations.handlers.invite -> surveys.invitations.invite: stable when files move rooms.
    parts = [part for part in function.__module__.split(".") if part not in ("services", "handlers", "shared")]
    return ".".join([*parts, function.__name__])
