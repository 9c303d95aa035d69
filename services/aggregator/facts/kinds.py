"""The kinds of facts: how each is read, kept and folded again. The order is that of a rebuild."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from services.aggregator.facts import queries
from services.aggregator.facts.rules import response_kept, visit_kept
from services.aggregator.metrics.values import Fact


@dataclass(frozen=True, slots=True)
class FactKind:
    """``stage`` is the kind's place in a rebuild, ``key`` its key column, ``kept`` makes the fact of a kept row."""

    stage: int
    key: str
    locked: Any
    following: Any
    saving: Any
    kept: Callable[[Any], Fact]


def _kind(stage: int, facts: Any, key: str, kept: Callable[[Any], Fact]) -> FactKind:
    return FactKind(
        stage, key, queries.locked(facts, key), queries.following(facts, key), queries.saving(facts, key), kept
    )


VISITS: Final = _kind(0, queries.visits, "visit", visit_kept)
RESPONSES: Final = _kind(1, queries.responses, "invitation", response_kept)
KINDS: Final = (VISITS, RESPONSES)
