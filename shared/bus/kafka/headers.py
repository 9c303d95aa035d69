"""A record's headers, made text only where somebody asks for one: of most records of a backlog few are asked for."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

_PLACES: Final[dict[str, int]] = {}
"""Where a name was found last: producers write the same names in the same order."""
_NAMES: Final = 64


class Headers(Mapping[str, str]):
    """Names to values; the first of a name counts. What is not UTF-8 is read with U+FFFD in its place: it stops no
    reader."""

    __slots__ = ("_pairs",)

    def __init__(self, pairs: Sequence[tuple[str, bytes]]) -> None:
        self._pairs = pairs

    def get(self, name: str, default: Any = None) -> Any:
        """The value of ``name``, or ``default``."""
        pairs = self._pairs
        place = _PLACES.get(name, 0)
        if place >= len(pairs) or pairs[place][0] != name:
            place = self._find(name)
            if place < 0:
                return default
        return pairs[place][1].decode("utf-8", "replace")

    def _find(self, name: str) -> int:
        for place, (each, _) in enumerate(self._pairs):
            if each == name:
                if name in _PLACES or len(_PLACES) < _NAMES:
                    _PLACES[name] = place
                return place
        return -1

    def __getitem__(self, name: str) -> str:
        value: str | None = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name for name, _ in self._pairs))

    def __len__(self) -> int:
        return len({name for name, _ in self._pairs})

    def __repr__(self) -> str:
        return repr(dict(self))
