"""Whom the development sign-in lets a person be."""

from typing import Final, NamedTuple

POSTS: Final = frozenset({"teller", "branch_manager"})
"""Posts that are roles of the same name."""

OFFICES: Final = ("head_office", "auditor", "operator")
"""Roles of the head office, without a person behind them."""

DEVICES: Final = ("kiosk",)
"""Roles of a branch's machines."""


class Persona(NamedTuple):
    """Who somebody signs in as: a member of staff, an office, or a machine of a unit."""

    role: str
    staff: str | None
    unit: str

    @property
    def sub(self) -> str:
        """The subject of the session."""
        return self.staff or f"{self.role}@{self.unit}"


def offered(role: str, *, unit_kind: str) -> bool:
    """Whether ``role`` may be taken at a unit of this kind without naming a person."""
    return role in DEVICES if unit_kind == "branch" else role in OFFICES and unit_kind == "head_office"
