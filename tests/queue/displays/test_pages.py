"""The board as HTML: numbers only, the branch's own, and what is still news."""

import re

import pytest

from shared.security.principal import Principal


async def board(hall, role="board", unit="gz-001", branch="gz-001"):
    principal = Principal("device:b", None, frozenset({role}), (unit,))
    seat = {"cookie": f"wd_session={await hall.running.app.state.sessions.open(principal)}"}
    return await hall.running.client.get(f"/queue/board/{branch}?lang=en", headers=seat)


async def test_the_board_shows_the_call_the_last_ones_and_the_next_ones(hall):
    await hall.open(1, "T0001", "cash")
    for _ in range(9):
        await hall.issue()
    for _ in range(2):
        await hall.act((await hall.call(1))["id"], "no-show")
        hall.tick(10)
    text = (await board(hall)).text
    assert re.search(r"data-number>A002<", text)
    shown = re.findall(r"<li><strong>(A\d+)</strong>", text)
    assert shown == ["A001", "A003", "A004", "A005", "A006", "A007"]
    hall.tick(60)
    text = (await board(hall)).text
    assert re.search(r"data-number><", text)
    assert re.findall(r"<li><strong>(A\d+)</strong>", text)[:2] == ["A002", "A001"]


@pytest.mark.parametrize(
    ("role", "unit", "status"), [("board", "gz-002", 404), ("kiosk", "gz-001", 403), ("app", "hq", 403)]
)
async def test_a_board_is_its_branchs_alone(hall, role, unit, status):
    assert (await board(hall, role, unit)).status_code == status
