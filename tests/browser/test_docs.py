"""The documents of interfaces and events: complete, offline, and linked from the start page."""

import pytest
from playwright.sync_api import expect

from shared.contracts.base import catalogue
from shared.testing.browser import shot, sound


def test_the_start_page_leads_to_the_routes_which_come_from_this_system_alone(visitor):
    page = visitor().page("/")
    page.get_by_role("link", name="接口文档").click()
    expect(page.locator(".opblock-tag").first).to_be_visible()
    page.locator(".opblock-tag", has_text="aggregator: metrics").click()
    expect(page.locator("#swagger")).to_contain_text("/aggregator/v1/metrics/{metric}")
    shot(page, "docs/api")


@pytest.mark.parametrize("language", ["zh-CN", "en-US"])
@pytest.mark.parametrize("width", [1280, 320])
def test_every_event_is_there_with_its_members(visitor, language, width):
    page = visitor(language=language, width=width).page("/docs/events")
    sound(page, f"docs/events-{language[:2]}-{width}")
    assert sorted(page.locator(".docs-event h3").all_inner_texts()) == sorted(catalogue())
    event = page.locator(".docs-event", has_text="queue.visit.completed.v1")
    event.locator("summary").click()
    expect(event.get_by_role("row", name="business_date")).to_contain_text("date")
    sound(page, f"docs/events-open-{language[:2]}-{width}")


def test_events_are_read_without_scripts_and_by_programs(visitor):
    watched = visitor(java_script_enabled=False)
    page = watched.page("/docs/events")
    expect(page.get_by_role("heading", level=1)).to_have_text("事件文档")
    assert watched.context.request.get(watched.base_url + "/docs/asyncapi.json").json()["asyncapi"] == "3.0.0"
