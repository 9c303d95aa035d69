"""Grafana's dashboards (仪表板), built from queries and the metrics there are; ``make generate`` writes them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from services.aggregator.metrics.definitions import METRICS

SOURCE: Final = {"type": "prometheus", "uid": "prometheus"}
WIDTH: Final = 24
HEIGHT: Final = 8


class Panel(NamedTuple):
    """One graph: its title, unit, and queries with the legend of each; ``wide`` of the 24 columns.

    ``may_be_empty``: a system that is well or young shows nothing here.
    """

    title: str
    unit: str
    queries: Sequence[tuple[str, str]]
    kind: str = "timeseries"
    wide: int = 12
    may_be_empty: bool = False


def _targets(queries: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    return [
        {"refId": chr(ord("A") + i), "datasource": SOURCE, "expr": expression, "legendFormat": legend}
        for i, (expression, legend) in enumerate(queries)
    ]


def board(uid: str, title: str, about: str, panels: Sequence[Panel]) -> str:
    """A dashboard as Grafana provisions it, laid out in rows."""
    x = y = 0
    placed = []
    for i, panel in enumerate(panels, 1):
        if x + panel.wide > WIDTH:
            x, y = 0, y + HEIGHT
        placed.append(
            {
                "id": i,
                "type": panel.kind,
                "title": panel.title,
                # Read by the test that runs every query: Grafana shows it on hover.
                "description": "Empty while all is well. 正常时为空。" if panel.may_be_empty else "",
                "datasource": SOURCE,
                "gridPos": {"h": HEIGHT, "w": panel.wide, "x": x, "y": y},
                "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
                "targets": _targets(panel.queries),
            }
        )
        x += panel.wide
    document: Mapping[str, Any] = {
        "uid": uid,
        "title": title,
        "description": about,
        "tags": ["wangdian"],
        "schemaVersion": 39,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "panels": placed,
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _p95(name: str, by: str, where: str = "") -> str:
    return f"topk(10, histogram_quantile(0.95, sum by ({by}, le) (rate({name}_bucket{where}[5m]))))"


def _each(name: str) -> str:
    return f"sum by (service) (rate({name}[5m]))"


OPERATIONS: Final = (
    Panel("进程 Processes up", "short", [('up{job="wangdian"}', "{{app}} {{role}}")], "stat", 24),
    Panel(
        "告警 Alerts firing",
        "short",
        [('sum by (alertname) (ALERTS{alertstate="firing"})', "{{alertname}}")],
        may_be_empty=True,
    ),
    Panel(
        "循环停顿 Age of each loop's last turn", "s", [("max by (loop) (wangdian_loop_turn_age_seconds)", "{{loop}}")]
    ),
    Panel("请求 Requests", "reqps", [("service:http_requests:rate5m", "{{service}}")]),
    Panel("失败率 Failing requests", "percentunit", [("service:http_error_ratio:5m", "{{service}}")]),
    Panel("慢请求 Requests over 0.25 s", "percentunit", [("service:http_slow_ratio:5m", "{{service}}")]),
    Panel(
        "接口 p95 by route",
        "s",
        [(_p95("wangdian_http_request_seconds", "route, method"), "{{method}} {{route}}")],
    ),
    Panel("发件箱 Outbox: events that wait", "short", [("service:outbox_unpublished:max", "{{service}}")]),
    Panel("发件箱 Outbox: age of the oldest", "s", [("service:outbox_oldest_seconds:max", "{{service}}")]),
    Panel("发送 Events sent", "eps", [(_each("wangdian_relay_events_total"), "{{service}}")]),
    Panel("发送失败 Events the bus refused", "eps", [(_each("wangdian_relay_errors_total"), "{{service}}")]),
    Panel("消费积压 Consumer lag", "short", [("service:consumer_lag:sum", "{{service}}")]),
    Panel("处理 Events handled", "eps", [(_each("wangdian_events_handled_total"), "{{service}}")]),
    Panel("搁置 Parked subjects", "short", [("service:events_parked_subjects:max", "{{service}}")]),
    Panel("死信 Dead letters", "short", [("service:events_dead_letters:max", "{{service}}")]),
    Panel(
        "失败循环 Failing loops",
        "short",
        [("max by (service, loop) (wangdian_loop_failing) > 0", "{{service}} {{loop}}")],
        may_be_empty=True,
    ),
    Panel(
        "阻塞 Longest block of the event loop",
        "s",
        [("max by (app, role) (wangdian_loop_blocked_seconds)", "{{app}} {{role}}")],
    ),
    Panel(
        "处理器 p95 of handlers",
        "s",
        [(_p95("wangdian_handler_seconds", "service, handler"), "{{service}} {{handler}}")],
    ),
    Panel("内存 Memory", "bytes", [('process_resident_memory_bytes{job="wangdian"}', "{{app}} {{role}}")]),
    Panel(
        "处理器占用 CPU", "percentunit", [('rate(process_cpu_seconds_total{job="wangdian"}[5m])', "{{app}} {{role}}")]
    ),
)


def _business(metric: str, period: str, *, whole: bool = False) -> str:
    chosen = f'{{metric="{metric}", period="{period}"}}'
    top = f"max by (metric) (wangdian_business_numerator{chosen})"
    if whole:
        return top
    return f"{top} / (max by (metric) (wangdian_business_denominator{chosen}) > 0)"


def _figure(metric: str, *, wide: int = 6) -> Panel:
    kind = METRICS[metric]
    count = str(kind.kind) == "count"
    unit = {"count": "short", "duration": "s"}.get(str(kind.kind), "percentunit")
    queries = [
        (_business(metric, day, whole=count), label)
        for day, label in (("today", "今日 today"), ("yesterday", "昨日 yesterday"))
    ]
    return Panel(f"{kind.title_zh} {kind.title_en}", unit, queries, "stat", wide, may_be_empty=not count)


def _rate(route: str) -> str:
    return f'sum by (status) (rate(wangdian_http_requests_total{{route=~"{route}"}}[5m]))'


BRANCH: Final = (
    *(_figure(name) for name in ("visits.opened", "visits.served", "visits.abandoned", "visits.no_show")),
    *(_figure(name, wide=12) for name in ("wait.seconds", "handling.seconds")),
    Panel("取号 Tickets asked for", "reqps", [(_rate("/queue/v1/branches/.*/tickets"), "{{status}}")]),
    Panel("叫号 Calls", "reqps", [(_rate("/queue/v1/.*/call-next"), "{{status}}")]),
    Panel(
        "窗口操作 p95 at the window",
        "s",
        [(_p95("wangdian_http_request_seconds", "route", '{service="queue", method="POST"}'), "{{route}}")],
        wide=24,
    ),
)

LOOP: Final = (
    Panel("事件到达 p99: from commit to effect", "s", [("service:event_delay_seconds:p99_5m", "{{service}}")], wide=24),
    *(_figure(name, wide=8) for name in ("survey.invitation_rate", "survey.response_rate", "survey.csat")),
    Panel(
        "样本数 Observations, all days",
        "short",
        [('max by (metric) (wangdian_business_n{period="total"})', "{{metric}}")],
    ),
    Panel(
        "未计入 Not in the figures yet",
        "short",
        [("service:consumer_lag:sum + on (service) service:events_parked_subjects:max", "{{service}}")],
    ),
)

BOARDS: Final = {
    "operations": ("运行 Operations", "Processes, requests, events. 进程、请求与事件。", OPERATIONS),
    "branch": (
        "网点 Branches",
        "The bank's branches together; figures of one branch come from the aggregator's API and pages, as a label per "
        "branch would be 40,000 series. 全行合计；单个网点见接口。",
        BRANCH,
    ),
    "closed-loop": ("闭环 Closed loop", "From event to opinion to figure. 从事件到评价到指标。", LOOP),
}


def dashboards() -> dict[str, str]:
    """Each dashboard by its path in the repository."""
    return {
        f"deploy/grafana/dashboards/{name}.json": board(f"wangdian-{name}", title, about, panels)
        for name, (title, about, panels) in BOARDS.items()
    }
