"""Rules of responses: which answers fit a questionnaire."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from services.surveys.faults import Fault


class Asked(Protocol):
    """What the rules see of an item."""

    @property
    def item(self) -> str: ...
    @property
    def scale_min(self) -> int: ...
    @property
    def scale_max(self) -> int: ...
    @property
    def required(self) -> bool: ...


def faults_of(items: Sequence[Asked], answers: Mapping[str, int]) -> list[Fault]:
    """What is wrong with the answers: an item nobody asked, a score off its scale, a required item left out."""
    asked = {item.item: item for item in items}
    found = []
    for name, score in answers.items():
        item = asked.get(name)
        if item is None:
            found.append(Fault(f"/answers/{name}", "unknown_item", "The questionnaire has no such item"))
        elif not item.scale_min <= score <= item.scale_max:
            detail = f"The score is a whole number from {item.scale_min} to {item.scale_max}"
            found.append(Fault(f"/answers/{name}", "out_of_scale", detail))
    found += [
        Fault(f"/answers/{item.item}", "missing", "This item must be answered")
        for item in items
        if item.required and item.item not in answers
    ]
    return found
