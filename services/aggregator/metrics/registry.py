"""What a metric is, and the register of all of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

from services.aggregator.metrics.values import Amount, Fact

Kind = Literal["count", "duration", "ratio", "service_level"]
"""``service_level`` is a ratio that depends on a limit given in the query: its cells are kept by second of waiting."""
Direction = Literal["up", "down", "neutral"]
"""Where better is: more is better, less is better, or neither by itself."""

Measure = Callable[[Any], Amount | None]
F = TypeVar("F", bound=Measure)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. ``version`` goes up when the definition changes; its cells are then rebuilt.

    ``measures`` maps a type of fact to the function that says what such a fact adds; ``description`` is the docstring.
    """

    id: str
    version: int
    kind: Kind
    direction: Direction
    title_zh: str
    title_en: str
    description: str
    measures: Mapping[type, Measure]

    def amount(self, fact: Fact) -> Amount | None:
        """What ``fact`` adds, None for nothing."""
        measure = self.measures.get(type(fact))
        return None if measure is None else measure(fact)


METRICS: Final[dict[str, Metric]] = {}
"""Id to metric, in the order of definition. Filled by :mod:`.definitions`; import that to use it."""


def metric(
    id_: str,
    *facts: type,
    version: int,
    kind: Kind,
    direction: Direction,
    title_zh: str,
    title_en: str,
) -> Callable[[F], F]:
    """Registers the decorated function as the measure of ``facts`` for the metric ``id_``."""

    def register(measure: F) -> F:
        if id_ in METRICS:
            raise ValueError(f"metric {id_} is defined twice")
        METRICS[id_] = Metric(
            id=id_,
            version=version,
            kind=kind,
            direction=direction,
            title_zh=title_zh,
            title_en=title_en,
            description=measure.__doc__ or "",
            measures=dict.fromkeys(facts, measure),
        )
        return measure

    return register
