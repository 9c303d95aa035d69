"""Rules of scores: CSAT, mean and 100-point score of a distribution of answers, with their uncertainty. Pure.

Definition ``csat-top2.v1``: CSAT (满意率) = answers in the two best boxes ÷ answers; on a scale of fewer than five
points only the best box counts ("基本满意" is not satisfied). The 100-point score is linear: (score − min) ÷
(max − min) × 100, averaged over answers. What was not answered is nowhere in the denominator. The interval is
Wilson's at 95 %, with n = the number of customers, not of answers: several answers of one customer do not make
several customers.
"""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from shared.arithmetic import wilson

DEFINITION = "csat-top2.v1"
MINIMUM_N = 5
"""Below this many customers nothing is shown but that it is too few (research: cell suppression)."""

TOO_FEW = "n_too_small"
WIDE_SCALE = 5


class Count(NamedTuple):
    """How often one score was given on one scale."""

    score: int
    scale_min: int
    scale_max: int
    answers: int


class Score(NamedTuple):
    """Figures of one dimension. ``csat``, ``low``, ``high`` are shares from 0 to 1; ``points`` runs from 0 to 100.

    ``mean`` is in the scale's own points, None where the answers are on different scales.
    """

    n: int
    answers: int
    csat: float
    low: float
    high: float
    points: float
    mean: float | None


def satisfied(score: int, scale_min: int, scale_max: int) -> bool:
    """Whether a score lies in the best boxes: two of a scale of five points or more, else one."""
    boxes = 2 if scale_max - scale_min + 1 >= WIDE_SCALE else 1
    return score > scale_max - boxes


def linear(score: int, scale_min: int, scale_max: int) -> float:
    """The score on 0 to 100."""
    return (score - scale_min) / (scale_max - scale_min) * 100


def score_of(counts: Iterable[Count], customers: int) -> Score | None:
    """The figures of a distribution given by ``customers`` people; None when they are too few to show."""
    kept: Sequence[Count] = [count for count in counts if count.answers > 0]
    if customers < MINIMUM_N or not kept:
        return None
    answers = sum(count.answers for count in kept)
    top = sum(count.answers for count in kept if satisfied(*count[:3]))
    points = math.fsum(linear(*count[:3]) * count.answers for count in kept) / answers
    scales = {(count.scale_min, count.scale_max) for count in kept}
    mean = sum(count.score * count.answers for count in kept) / answers if len(scales) == 1 else None
    low, high = wilson(top, answers, customers) or (0.0, 1.0)
    return Score(customers, answers, top / answers, low, high, points, mean)
