"""What may hang where in the organisation, and for how long; pure."""

from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple, Protocol

from shared.contracts.staff import UnitKind

MAX_PATH: Final = 128
"""Longest path that the directory's contract carries."""

_ABOVE: Final[dict[UnitKind, frozenset[UnitKind]]] = {
    UnitKind.HEAD_OFFICE: frozenset(),
    UnitKind.REGION: frozenset({UnitKind.HEAD_OFFICE, UnitKind.REGION}),
    UnitKind.BRANCH: frozenset({UnitKind.HEAD_OFFICE, UnitKind.REGION}),
}


class HasPeriod(Protocol):
    """Anything valid from an instant to another, or with no end."""

    @property
    def valid_from(self) -> datetime:
        """The first instant."""
        ...

    @property
    def valid_to(self) -> datetime | None:
        """The first instant after the end; None: no end is known."""
        ...


class Period(NamedTuple):
    """``valid_from <= at < valid_to``; no end when ``valid_to`` is None."""

    valid_from: datetime
    valid_to: datetime | None


def path_below(parent_path: str | None, unit_id: str) -> str:
    """The materialised path of ``unit_id`` below its parent; of the root when there is no parent."""
    return f"{parent_path or '/'}{unit_id}/"


def may_hang(kind: UnitKind, parent: UnitKind | None) -> bool:
    """Whether a unit of ``kind`` may hang under such a parent: head office is the root, branches are leaves."""
    return parent in _ABOVE[kind] if parent is not None else not _ABOVE[kind]


def ends_after_start(period: HasPeriod) -> bool:
    """Whether the period holds at least one instant."""
    return period.valid_to is None or period.valid_from < period.valid_to


def lies_within(inner: HasPeriod, outer: HasPeriod) -> bool:
    """Whether ``inner`` is part of ``outer``: nothing is open below what does not exist."""
    if inner.valid_from < outer.valid_from:
        return False
    return outer.valid_to is None or (inner.valid_to is not None and inner.valid_to <= outer.valid_to)


def in_force(period: HasPeriod, at: datetime) -> bool:
    """Whether the period holds ``at``."""
    return period.valid_from <= at and (period.valid_to is None or at < period.valid_to)


@cache
def zones() -> frozenset[str]:
    """The zones of the IANA data base as installed with us; the machine's own list may hold private ones."""
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())
