"""Rules of questionnaires: what a version must hold, when it may be published, which one is in force."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from services.surveys.faults import Fault
from shared.contracts.surveys import Dimension
from shared.policies.beginning import misdated

REQUIRED_DIMENSIONS = (Dimension.QUALITY, Dimension.EFFICIENCY, Dimension.ATTITUDE)
"""服务质量、服务效率、服务态度: what an objective evaluation asks about at least (guide 1.2e)."""


class VersionStatus(StrEnum):
    """A version's state (草稿、已发布、已停用)."""

    DRAFT = "draft"
    PUBLISHED = "published"
    RETIRED = "retired"


ALLOWED: Mapping[VersionStatus, tuple[str, ...]] = {
    VersionStatus.DRAFT: ("publish",),
    VersionStatus.PUBLISHED: ("retire",),
    VersionStatus.RETIRED: (),
}
"""What may be done with a version in each state."""


class Item(Protocol):
    """What the rules see of an item."""

    @property
    def code(self) -> str: ...
    @property
    def scale_min(self) -> int: ...
    @property
    def scale_max(self) -> int: ...


def faults_of(items: Sequence[Item]) -> list[Fault]:
    """What is wrong with the items of a new version: a code used twice, a scale without a span."""
    found, seen = [], set()
    for position, item in enumerate(items):
        if item.code in seen:
            found.append(Fault(f"/items/{position}/code", "duplicate_item", f"The code {item.code} is used twice"))
        seen.add(item.code)
        if item.scale_min >= item.scale_max:
            found.append(
                Fault(f"/items/{position}/scale_max", "empty_scale", "scale_max must be greater than scale_min")
            )
    return found


def missing_dimensions(present: Iterable[str]) -> list[str]:
    """The required dimensions without an item, in the guide's order."""
    have = set(present)
    return [dimension.value for dimension in REQUIRED_DIMENSIONS if dimension.value not in have]


def effective_fault(effective_from: datetime, now: datetime) -> Fault | None:
    """Why a version cannot begin then; None when it can."""
    found = misdated(effective_from, now)
    return None if found is None else Fault("/effective_from", found.code, found.en)
