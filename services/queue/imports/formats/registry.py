"""The formats by name."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from services.queue.imports.formats.anonymous_bank import AnonymousBank
from services.queue.imports.formats.base import Format
from services.queue.imports.formats.canonical_csv import CanonicalCsv
from services.queue.imports.formats.canonical_ndjson import CanonicalNdjson

_ALL: Final[tuple[Format, ...]] = (CanonicalCsv(), CanonicalNdjson(), AnonymousBank())

FORMATS: Final[Mapping[str, Format]] = MappingProxyType({each.name: each for each in _ALL})
"""Name to format: ``canonical-csv``, ``canonical-ndjson``, ``anonymous-bank``."""

ALIASES: Final[Mapping[str, str]] = MappingProxyType({"csv": "canonical-csv", "ndjson": "canonical-ndjson"})
"""Short names of our own formats."""


def named(name: str) -> Format | None:
    """The format of that name or short name, else None."""
    return FORMATS.get(ALIASES.get(name, name))
