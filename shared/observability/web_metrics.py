"""Pages: what browsers report."""

from prometheus_client import CollectorRegistry, Counter


class WebMetrics:
    """Counters of the pages; labels are directives of our own policy."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._csp = Counter(
            "wangdian_csp_reports",
            "Violations of the content security policy that browsers reported",
            ["directive"],
            registry=registry,
        )

    def csp(self, directive: str) -> None:
        """Count one report."""
        self._csp.labels(directive).inc()
