"""From services of the catalogue to tiles and materials sheets (业务与所需材料)."""

from itertools import groupby
from typing import Any

from services.queue.catalogue.schemas import MaterialKind
from services.queue.kiosks.service import Wait
from services.queue.tickets.printing import minutes_to_expect
from shared.web.i18n import N_

FORMS = {"original": N_("original"), "copy": N_("copy"), "original_and_copy": N_("original and copy")}


def tile(wait: Wait) -> dict[str, Any]:
    """What stands on a service's tile: people who wait and the minutes to expect; no minutes without a window."""
    low, high = minutes_to_expect(*(wait.quotes[0] if wait.quotes else (None, None)))
    return {
        "code": wait.service.code,
        "name_zh": wait.service.name_zh,
        "name_en": wait.service.name_en,
        "ahead": wait.ahead,
        "windows": wait.windows,
        "low": low,
        "high": high,
    }


def sheet(service: Any) -> dict[str, Any]:
    """The materials in the order people look for them: always, one of several, only under a condition."""
    lines = [_line(material) for material in service.materials]
    chosen = [each for each in lines if each["kind"] == MaterialKind.ONE_OF]
    return {
        "code": service.code,
        "name_zh": service.name_zh,
        "name_en": service.name_en,
        "minutes": service.expected_minutes,
        "required": [each for each in lines if each["kind"] == MaterialKind.REQUIRED],
        "groups": [list(group) for _, group in groupby(chosen, key=lambda each: each["group"])],
        "conditional": [each for each in lines if each["kind"] == MaterialKind.CONDITIONAL],
    }


def _line(material: dict[str, Any]) -> dict[str, Any]:
    condition = material.get("condition")
    return {
        "kind": material["kind"],
        "group": material.get("group"),
        "name_zh": material["names"]["zh"],
        "name_en": material["names"]["en"],
        "form": FORMS[material["form"]],
        "condition": {"name_zh": condition["zh"], "name_en": condition["en"]} if condition else None,
    }
