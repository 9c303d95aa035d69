"""What the routes of metrics answer."""

from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from services.aggregator.metrics.registry import Direction, Kind


class Titles(BaseModel):
    """The metric's name for people."""

    zh: str = Field(examples=["等候时长"])
    en: str = Field(examples=["Waiting time"])


class MetricView(BaseModel):
    """A metric that can be asked for; its id never changes, its version goes up with its definition."""

    id: str = Field(examples=["wait.seconds"])
    version: int
    kind: Kind
    titles: Titles
    direction: Direction
    unit_of_measure: str = Field(examples=["s"], description="UCUM: 1 for counts and shares, s for durations")
    definition: str


class MetricPoint(BaseModel):
    """One period; durations in seconds, shares between 0 and 1 with their 95 % interval.

    ``incomplete``: events are under way, parked or unreadable, or the figures are being made anew.
    """

    model_config = ConfigDict(
        validate_by_name=True,
        json_schema_extra={
            "example": {
                "from": "2026-03-02", "to": "2026-03-02", "n": 4, "numerator": 2, "denominator": 4, "value": 0.5,
                "low": 0.15, "high": 0.85, "p50": None, "p90": None, "p95": None, "incomplete": False,
            }
        },
    )  # fmt: skip

    first: date = Field(alias="from")
    last: date = Field(alias="to")
    n: int
    numerator: int
    denominator: int | None
    value: float | None
    low: float | None
    high: float | None
    p50: int | None
    p90: int | None
    p95: int | None
    incomplete: bool


class MetricSeries(BaseModel):
    """A metric of a unit and all below it; a point for every period asked for, also an empty one."""

    metric: str = Field(examples=["wait.seconds"])
    unit: str = Field(examples=["gz-001"])
    points: list[MetricPoint]
