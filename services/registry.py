"""The one composition root: a service's name and where its specification is; loaded on demand."""

from collections.abc import Sequence
from importlib import import_module

from shared.spec import ServiceSpec

SERVICES: dict[str, str] = {
    "staff": "services.staff.spec:SPEC",
    "queue": "services.queue.spec:SPEC",
    "surveys": "services.surveys.spec:SPEC",
    "aggregator": "services.aggregator.spec:SPEC",
}


def load(names: Sequence[str] | None = None) -> list[ServiceSpec]:
    """The specifications of ``names`` (all if None); an unknown name is a KeyError."""
    specs = []
    for name in names if names is not None else SERVICES:
        module, _, attribute = SERVICES[name].partition(":")
        specs.append(getattr(import_module(module), attribute))
    return specs
