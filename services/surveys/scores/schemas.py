"""Replies about scores."""

from datetime import date

from pydantic import BaseModel, Field


class ScoreLine(BaseModel):
    """Figures of one dimension, or of all (``overall``).

    ``n`` counts customers, ``answers`` their answers. Under five customers the figures are null and ``suppressed``
    says why. ``csat`` with its 95 % interval ``low`` to ``high`` is a share of 1; ``points`` is linear, 0 to 100;
    ``mean`` is in the points of the scale, null when scales differ.
    """

    dimension: str = Field(examples=["attitude"])
    n: int | None
    answers: int | None
    csat: float | None
    low: float | None
    high: float | None
    points: float | None
    mean: float | None
    suppressed: str | None = Field(examples=["n_too_small"])


class Scores(BaseModel):
    """Scores of a unit with everything below it, by the business date of the visits, both days included."""

    unit: str
    first: date = Field(serialization_alias="from")
    last: date = Field(serialization_alias="to")
    definition: str
    items: list[ScoreLine]
    next: None = None
