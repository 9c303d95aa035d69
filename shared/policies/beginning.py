"""From when a decision may hold (生效时间): a policy, a questionnaire, a rule."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

FARTHEST_AHEAD: Final = timedelta(days=3660)
"""How far ahead something may be planned; farther is a typing error."""


class Misdated(NamedTuple):
    """Why nothing can begin then: a stable code, and a sentence in both languages."""

    code: str
    en: str
    zh: str


def misdated(begins: datetime, now: datetime) -> Misdated | None:
    """Why nothing can begin then: the past is decided, and ten years ahead is a mistake; None when it can."""
    if begins < now:
        return Misdated("in_the_past", "What was in force in the past is decided", "不能修改过去")
    if begins - now > FARTHEST_AHEAD:
        days = FARTHEST_AHEAD.days
        return Misdated("too_far_ahead", f"At most {days} days ahead", f"最多提前 {days} 天")
    return None
