"""The metrics of a unit: what head office reads on the pages is what the API says, in every state."""

import csv
import io
from datetime import UTC, date, datetime, timedelta

import httpx
import openpyxl
import pytest
from playwright.sync_api import expect
from wangdian_client import Wangdian

from services.aggregator.figures import views
from services.aggregator.metrics.definitions import METRICS
from shared.testing.browser import sound

FIRST, DAYS = date(2026, 1, 5), 40
LAST = FIRST + timedelta(days=DAYS - 1)
BAD = FIRST + timedelta(days=30)
PERIOD = f"from={FIRST}&to={LAST}"
PEOPLE = {
    "head office": {"role": "head_office", "unit": "hq"},
    "manager": {"staff": "M0001", "unit": "gz-001"},
}


def history() -> str:
    """Forty days of forty visits at one branch; one day, waits are ten times as long and a fourth of them leave."""
    lines = ["external_key,business_date,service,outcome,issued_at,called_at,started_at,finished_at,left_at"]
    for i in range(DAYS):
        day = FIRST + timedelta(days=i)
        for j in range(40):
            at = datetime(day.year, day.month, day.day, 1, tzinfo=UTC) + timedelta(minutes=9 * j)
            wait = timedelta(seconds=(60 + i * 37 % 60 + j * 11 % 90) * (10 if day == BAD else 1))
            done = at + wait + timedelta(minutes=5)
            left = (day == BAD and j % 4 == 0) or j == 39
            times = ["", "", "", at + wait] if left else [at + wait, at + wait, done, ""]
            cells = [at, *times]
            lines.append(
                f"{day}-{j},{day},cash,{'left' if left else 'served'},"
                + ",".join(cell and cell.isoformat() for cell in cells)
            )
    return "\n".join(lines)


@pytest.fixture(scope="module")
def figures(bank, tmp_path_factory):
    """The bank with that history, and its API as head office sees it."""
    path = tmp_path_factory.mktemp("history") / "visits.csv"
    path.write_text(history())
    with Wangdian(bank.base_url, token_provider=lambda: bank.token("integration", unit="gz-001")) as caller:
        report = caller.queue.imports.wait(caller.queue.imports.upload(path, "csv", "gz-001")["id"])
        assert report["accepted"] == DAYS * 40, report
    with httpx.Client(base_url=bank.base_url, headers={"authorization": f"Bearer {bank.token('head_office')}"}) as api:

        def ask(metric, unit="gz-001", by="total", **more):
            query = {"unit": unit, "from": FIRST, "to": LAST, "by": by, **more}
            return api.get(f"/aggregator/v1/metrics/{metric}", params=query).raise_for_status().json()["points"]

        deadline = datetime.now(UTC) + timedelta(seconds=60)
        while (point := ask("visits.opened")[0])["value"] < DAYS * 40 or point["incomplete"]:
            assert datetime.now(UTC) < deadline
        yield ask


def person(visitor, who, **options):
    watched = visitor(**options)
    watched.sign_in(**PEOPLE[who])
    return watched


def test_the_wall_says_what_the_api_says(visitor, figures):
    page = person(visitor, "head office").page(f"/aggregator/?unit=gz-001&{PERIOD}")
    sound(page, "metrics/wall")
    for metric in METRICS.values():
        [point] = figures(metric.id)
        tile = page.locator(".tile", has=page.get_by_role("link", name=metric.title_zh, exact=True))
        if not point["n"] and metric.kind != "count":
            expect(tile).to_contain_text("暂无数据")
            continue
        expect(tile.locator(".tile-value")).to_have_text(
            views.form(metric)(point["value"]) + ("分:秒" if metric.kind == "duration" else "")
        )
        if point["low"] is not None:
            expect(tile).to_contain_text(f"{views.share(point['low'])} – {views.share(point['high'])}")
    expect(page.locator(".tile", has_text="弃号数")).to_contain_text("信号")
    expect(page.locator("main")).to_contain_text("数据截至")


def test_a_metric_shows_its_chart_its_signals_and_its_table(visitor, figures):
    page = person(visitor, "head office").page(f"/aggregator/metrics/wait.seconds?unit=gz-001&{PERIOD}")
    sound(page, "metrics/wait")
    expect(page.locator(".signals")).to_contain_text(f"{BAD}")
    expect(page.locator(".signals")).to_contain_text("变差")
    expect(page.locator("#control .mark")).to_have_count(DAYS)
    expect(page.locator("#control .mark.outside")).to_have_count(1)
    page.locator("#control summary").click()
    points = figures("wait.seconds", by="day")
    rows = page.locator("#control tbody tr")
    assert [row.split("\t")[:3] for row in rows.all_inner_texts()] == [
        [each["from"], views.clock(each["value"]), str(each["n"])] for each in points
    ]
    sound(page, "metrics/wait-table")
    spread = page.locator("#spread tbody td").all_text_contents()
    assert sum(int(text.replace(",", "")) for text in spread) == figures("wait.seconds")[0]["n"]
    expect(page.locator("#hours .chart-svg rect").first).to_be_attached()
    expect(page.locator("main")).to_contain_text("1.1b")


def test_drilling_down_leads_from_the_bank_to_a_branch(visitor, figures):
    page = person(visitor, "head office").page(f"/aggregator/metrics/wait.service_level?{PERIOD}&within=300")
    [point] = figures("wait.service_level", unit="prov-gd", within=300)
    row = page.get_by_role("row", name="广东省分行")
    expect(row).to_contain_text(views.share(point["value"]))
    expect(row).to_contain_text(f"{point['n']:,}")
    row.get_by_role("link").click()
    page.get_by_role("link", name="广州天河支行").click()
    expect(page.get_by_label("机构", exact=True).locator("a")).to_have_text(
        ["示例银行总行", "广东省分行", "广州天河支行"]
    )
    expect(page.locator("#hours")).to_be_visible()
    expect(page.get_by_role("link", name="5 分钟", exact=True)).to_have_attribute("aria-current", "true")


def test_files_hold_the_figures_of_the_page(visitor, figures):
    page = person(visitor, "head office").page(f"/aggregator/metrics/wait.seconds?unit=gz-001&{PERIOD}")
    with page.expect_download() as caught:
        page.locator(".figures-whole").get_by_role("link", name="CSV").click()
    points = figures("wait.seconds", by="day")
    body = caught.value.path().read_bytes()
    assert body.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))
    assert [(r["from"], int(r["n"]), float(r["value"]), int(r["p90"])) for r in rows] == [
        (each["from"], each["n"], each["value"], each["p90"]) for each in points
    ]
    assert {(r["metric"], r["unit"], r["incomplete"]) for r in rows} == {("wait.seconds", "gz-001", "false")}
    with page.expect_download() as caught:
        page.get_by_role("link", name="Excel").click()
    book = openpyxl.load_workbook(io.BytesIO(caught.value.path().read_bytes()))
    assert book.sheetnames == ["series", "units", "About"]
    assert [row[8].value for row in book["series"].iter_rows(min_row=2)] == pytest.approx(
        [each["value"] for each in points]  # a workbook keeps 16 digits
    )
    about = {row[0].value: row[1].value for row in book["About"].iter_rows()}
    assert (about["rows_series"], about["metric"]) == (DAYS, "wait.seconds")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/aggregator/?unit=bj-001", 404),
        ("/aggregator/metrics/wait.seconds?unit=prov-gd", 404),
        ("/aggregator/metrics/wait.seconds/series.csv?unit=bj-001", 404),
        ("/aggregator/metrics/nothing", 404),
        ("/aggregator/metrics/wait.seconds/series.exe", 404),
        ("/aggregator/?from=2026-02-01&to=2026-01-01", 422),
        ("/aggregator/?from=yesterday", 422),
    ],
)
def test_what_may_not_be_seen_is_a_page_that_says_so(visitor, figures, path, status):
    watched = person(visitor, "manager")
    watched.expected += ["404", "422"]
    page = watched.page()
    assert page.goto(watched.base_url + path).status == status
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_nobody_sees_figures_without_signing_in(visitor, figures):
    page = visitor().page("/aggregator/?unit=gz-001")
    expect(page.get_by_role("heading", level=1)).to_have_text("登录")


def test_a_manager_sees_the_branch_and_nothing_above(visitor, figures):
    page = person(visitor, "manager").page("/aggregator/?from=2026-01-05&to=2026-02-13")
    expect(page.get_by_role("heading", level=1)).to_have_text("广州天河支行")
    expect(page.get_by_label("机构", exact=True).first).not_to_contain_text("广东省分行")


def test_a_period_without_anything_leads_to_the_last_one_with_figures(visitor, figures):
    page = person(visitor, "manager").page("/aggregator/?from=2020-01-01&to=2020-01-31")
    sound(page, "metrics/empty")
    page.get_by_role("link", name="2026-02").click()
    expect(page.locator(".tile-value").first).to_be_visible()


STATES = {
    "en": {"language": "en-US"},
    "phone": {"width": 320, "height": 640},
    "large-text": {"width": 640, "device_scale_factor": 2},
    "no-scripts": {"java_script_enabled": False},
}


@pytest.mark.parametrize("state", STATES)
def test_both_pages_are_sound_in_every_state(visitor, figures, state):
    watched = person(visitor, "head office", **STATES[state])
    page = watched.page(f"/aggregator/?unit=prov-gd&{PERIOD}")
    assert page.locator(".tile").count() == len(METRICS)
    if state != "no-scripts":
        sound(page, f"metrics/wall-{state}")
    page.get_by_role("link", name="Waiting time" if state == "en" else "等候时长").click()
    expect(page.locator("#control .chart-svg")).to_be_visible()
    if state != "no-scripts":
        sound(page, f"metrics/metric-{state}")
    page.locator("select[name=unit]").select_option("gz-001")
    page.locator(".figures-form button").click()
    expect(page.locator("#hours .chart-svg")).to_be_visible()
