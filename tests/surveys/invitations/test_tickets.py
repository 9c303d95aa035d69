"""Rating by a ticket's link: whoever holds the slip of a visit that was served, and never who is rated."""

import pytest

from shared.web.client import PeerUnavailable

TICKET = "T" * 22
PATH = f"/surveys/v1/tickets/{TICKET}/invitation"
PAGE = f"/surveys/t/{TICKET}"


class Links:
    """What queue says of ``TICKET``."""

    def __init__(self):
        self.says = {"visit": "v1", "status": "served", "channel": "kiosk"}
        self.asked = []

    async def get(self, path, *, purpose):
        self.asked.append((path, purpose))
        if isinstance(self.says, Exception):
            raise self.says
        return self.says


@pytest.fixture
async def held(surveys):
    """The service while a customer holds the ticket of visit v1, and what queue says of it."""
    await surveys.published()
    surveys.runtime.peers = Links()
    return surveys, surveys.runtime.peers


async def test_the_ticket_leads_to_the_one_invitation_of_its_visit(held):
    surveys, links = held
    await surveys.complete()
    seen = (await surveys.client.get(PATH)).json()
    assert links.asked[-1] == (f"/queue/v1/t/{TICKET}/visit", "rate_by_ticket")
    assert set(seen) == {"status", "expires_at", "questionnaire", "token"}
    assert (seen["status"], seen["token"]) == ("open", await surveys.token())
    led = await surveys.client.get(PAGE)
    assert (led.status_code, led.headers["location"]) == (303, f"/surveys/a/{seen['token']}")
    given = await surveys.answer(seen["token"], {"quality": 5, "efficiency": 5, "attitude": 4})
    assert given.status_code == 201
    assert (await surveys.client.get(PATH)).json()["status"] == "answered"


@pytest.mark.guide("1.2e")
@pytest.mark.parametrize("channel", ["staff", "phone"])
async def test_a_ticket_that_staff_had_in_their_hands_opens_no_survey(held, channel):
    surveys, links = held
    await surveys.complete()
    links.says |= {"channel": channel}
    answer = await surveys.client.get(PATH)
    assert (answer.status_code, answer.json()["code"]) == (403, "taken_by_staff")
    assert await surveys.token() not in answer.text
    assert (await surveys.client.get(PAGE)).status_code == 403


@pytest.mark.parametrize("status", ["waiting", "called", "serving", "no_show", "left"])
async def test_who_was_not_served_has_nothing_to_rate(held, status):
    surveys, links = held
    links.says |= {"status": status}
    answer = await surveys.client.get(PATH)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_served_yet")
    assert (await surveys.client.get(PAGE)).status_code == 409


async def test_an_invitation_on_its_way_is_worth_another_try(held):
    surveys, _ = held
    answer = await surveys.client.get(PATH)
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (
        409, "invitation_not_ready", "2",
    )  # fmt: skip
    assert '<meta http-equiv="refresh"' in (await surveys.client.get(PAGE)).text
    await surveys.complete()
    assert (await surveys.client.get(PATH)).status_code == 200


async def test_an_unknown_ticket_is_404_and_a_torn_one_is_not_asked_for(held):
    surveys, links = held
    links.says = None
    assert (await surveys.client.get(PATH)).status_code == 404
    assert (await surveys.client.get(PAGE)).status_code == 404
    asked = len(links.asked)
    assert (await surveys.client.get("/surveys/v1/tickets/torn/invitation")).status_code == 422
    assert (await surveys.client.get("/surveys/t/torn")).status_code == 404
    assert len(links.asked) == asked


@pytest.mark.parametrize(
    "answer", [PeerUnavailable("queue"), {"visit": "v1"}, {"visit": "v1", "status": "gone", "channel": "kiosk"}]
)
async def test_a_queue_that_cannot_say_is_a_503(held, answer):
    surveys, links = held
    links.says = answer
    said = await surveys.client.get(PATH)
    assert (said.status_code, said.json()["code"], "retry-after" in said.headers) == (503, "unavailable", True)
    assert (await surveys.client.get(PAGE)).status_code == 503
