"""Whom a person may sign in as: in a development system anybody, else whom the bank's identity server says they are."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from shared.settings import IdentityClaims

POSTS: Final = frozenset({"teller", "branch_manager"})
"""Posts that are roles of the same name."""

OFFICES: Final = ("head_office", "auditor", "operator")
"""Roles of the head office, without a person behind them."""

DEVICES: Final = ("kiosk",)
"""Roles of a branch's machines."""

SEATS: Final = POSTS | {*OFFICES, *DEVICES}
"""Roles that a session may have: never those of services, of the app or of an integration, who have tokens."""

_LONGEST: Final = 64
_MOST: Final = 100


class Persona(NamedTuple):
    """Who somebody signs in as: a member of staff, an office, or a machine of a unit."""

    role: str
    staff: str | None
    unit: str

    @property
    def sub(self) -> str:
        """The subject of the session."""
        return self.staff or f"{self.role}@{self.unit}"


class Claimed(NamedTuple):
    """What an identity server says of a person, in our words."""

    sub: str
    staff: str | None
    roles: frozenset[str]
    units: tuple[str, ...]


def offered(role: str, *, unit_kind: str) -> bool:
    """Whether ``role`` may be taken at a unit of this kind without naming a person."""
    return role in DEVICES if unit_kind == "branch" else role in OFFICES and unit_kind == "head_office"


def claimed(claims: Mapping[str, Any], names: IdentityClaims) -> Claimed:
    """The claims in our words: by ``names``, which the bank sets. What is not understood is left out, so it gives no
    right; a role that no person has (a service's) gives none either."""
    roles = _ours(_texts(claims.get(names.roles)), names.role_names)
    staff = next(iter(_texts(claims.get(names.staff))), None)
    units = _ours(_texts(claims.get(names.units)), names.unit_names)
    return Claimed(str(claims["sub"]), staff, frozenset(roles) & SEATS, tuple(dict.fromkeys(units)))


def _ours(given: Iterable[str], names: Mapping[str, str]) -> list[str]:
    return [names[each] for each in given if each in names] if names else list(given)


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [v for v in values[:_MOST] if isinstance(v, str) and 0 < len(v) <= _LONGEST and v.isprintable()]
