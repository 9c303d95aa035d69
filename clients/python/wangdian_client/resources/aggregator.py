"""The aggregator: the figures."""

from datetime import date

from wangdian_client.calls import Call, Listing, path
from wangdian_client.models.aggregator import By, Metric, Series
from wangdian_client.resources.base import Resource, X, listing, operation


class Metrics(Resource[X]):
    """Metrics (指标) of any node of the organisation tree."""

    name = "aggregator.metrics"

    @listing
    def list(self, *, limit: int | None = None) -> Listing[Metric]:
        """Which metrics there are."""
        return Listing("/aggregator/v1/metrics", limit=limit)

    @operation
    def get(
        self,
        metric: str,
        *,
        unit: str,
        from_: date | str | None = None,
        to: date | str | None = None,
        by: By = "day",
        within: int | None = None,
    ) -> Call[Series]:
        """A metric between two business dates, both included.

        `within` is the target T of `wait.service_level`, in seconds.
        """
        params = {"unit": unit, "from": _day(from_), "to": _day(to), "by": by, "within": within}
        return Call(method="GET", path=path("/aggregator/v1/metrics/{}", metric), params=params)


class Aggregator(Resource[X]):
    """`client.aggregator`."""

    def __init__(self, runner: X) -> None:
        super().__init__(runner)
        self.metrics = Metrics(runner)


def _day(value: date | str | None) -> str | None:
    return value.isoformat() if isinstance(value, date) else value
