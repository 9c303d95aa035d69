"""One line of the bench's table."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """A figure against its floor of the same run; ``wanted`` is the least ratio (or the most, if ``at_most``)."""

    name: str
    value: float
    unit: str
    floor: float | None = None
    wanted: float | None = None
    at_most: bool = False
    note: str = ""

    @property
    def ratio(self) -> float:
        """The value over its floor, or the value itself."""
        return self.value / self.floor if self.floor else self.value

    @property
    def good(self) -> bool:
        """Whether the aim is met."""
        if self.wanted is None:
            return True
        return self.ratio <= self.wanted if self.at_most else self.ratio >= self.wanted

    def dump(self) -> dict[str, Any]:
        """For the JSON file."""
        return asdict(self) | {"ratio": self.ratio, "good": self.good}
