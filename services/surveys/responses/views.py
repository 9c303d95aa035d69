"""From the items of a questionnaire to the fields of a form, and back."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.web.scales import SATISFACTION


def question(item: Any, chosen: int | None, wrong: bool) -> dict[str, Any]:
    """What the form shows of an item: its text and its scale, a scale of five in words."""
    scores = range(item.scale_max, item.scale_min - 1, -1)
    words = len(scores) == len(SATISFACTION)
    return {
        "item": item.item,
        "name_zh": item.text_zh,
        "name_en": item.text_en,
        "required": item.required,
        "words": words,
        "options": [(score, SATISFACTION[score - item.scale_min] if words else str(score)) for score in scores],
        "chosen": chosen,
        "wrong": wrong,
    }


def given(form: Mapping[str, Any], items: Sequence[str]) -> tuple[dict[str, int], list[str]]:
    """The scores in a form by item, and the items whose value is no number; what was left out is not there."""
    answers, torn = {}, []
    for item in items:
        value = form.get(f"a-{item}", "")
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 2:
            answers[item] = int(value)
        elif value != "":
            torn.append(item)
    return answers, torn
