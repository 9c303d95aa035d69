"""Kiosks, tellers and customers: each acts on replies only, as people at a real counter do."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress

from wangdian_client.client import AsyncWangdian
from wangdian_client.demo.bank import Identities, Seat
from wangdian_client.demo.scenario import Course, Scenario, answers, dice
from wangdian_client.demo.tally import Tally
from wangdian_client.models.queue import Contact, Visit
from wangdian_client.models.surveys import Invitation
from wangdian_client.problems import Conflict, NotFound

_IDLE = 0.05
_COURSE_SECONDS = 0.5
_CONFLICTS_IN_A_ROW = 5
_CUSTOMERS_PER_KIOSK = 4

Act = Callable[["Stage", str, Course], Awaitable[None]]
"""What a customer does about a visit, by its id."""


class Stage:
    """What the actors share: identities, the courses of tickets issued, the tally, and whether customers still come."""

    def __init__(self, scenario: Scenario, identities: Identities, tally: Tally, tasks: asyncio.TaskGroup) -> None:
        self.scenario = scenario
        self.identities = identities
        self.tally = tally
        self.doors_closed = asyncio.Event()
        self._tasks = tasks
        self._courses: dict[str, Course] = {}
        self._issuing: Counter[str] = Counter()
        self._issued = asyncio.Condition()
        self._customers = asyncio.Semaphore(_CUSTOMERS_PER_KIOSK * scenario.concurrency)

    async def issue(self, course: Course) -> str:
        """Take the ticket of a course; the id of the visit."""
        device = self.identities.of(course.channel, course.unit)
        contact = Contact(phone=course.phone) if course.phone else None
        self._issuing[course.unit] += 1
        ticket = await device.queue.tickets.issue(
            course.unit, course.service, channel=course.channel, class_=course.class_, contact=contact
        )
        async with self._issued:
            self._issuing[course.unit] -= 1
            self._courses[ticket["id"]] = course
            self._issued.notify_all()
        return ticket["id"]

    async def course_of(self, visit: Visit, unit: str) -> Course:
        """What the called customer is going to do; a customer of an earlier run simply comes.

        A ticket can be called before the reply of its issue has arrived here, so while some are being issued an unknown
        visit is waited for a little.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(_COURSE_SECONDS), self._issued:
                await self._issued.wait_for(lambda: visit["id"] in self._courses or not self._issuing[unit])
        return self._courses.pop(visit["id"], None) or Course(-1, unit, "")

    def customer(self, act: Act, visit: str, course: Course) -> None:
        """Let a customer act on their own, beside the others."""
        self._tasks.create_task(self._limited(act, visit, course))

    async def _limited(self, act: Act, visit: str, course: Course) -> None:
        # The act begins in here: where the demo ends first, no coroutine is left that nobody awaits.
        async with self._customers:
            await act(self, visit, course)


async def let_in(stage: Stage, courses: Iterator[Course], kiosk: int) -> None:
    """A kiosk: issues the next ticket of the shared plan until there is none; some customers leave soon after."""
    chance = dice(stage.scenario.seed, "kiosk", kiosk)
    for course in courses:
        if stage.scenario.arrival_seconds > 0:
            await asyncio.sleep(chance.expovariate(1 / stage.scenario.arrival_seconds))
        visit = await stage.issue(course)
        if course.leaves:
            stage.customer(_leave, visit, course)


async def staff_window(stage: Stage, seat: Seat) -> None:
    """A teller (柜员): calls and serves until the doors are closed and nobody waits, then closes the window."""
    teller = stage.identities.of("teller", seat.unit, seat.staff)
    if seat.busy_with is not None:
        await _bring_to_an_end(stage, teller, seat.busy_with)
    conflicts = 0
    while True:
        last_round = stage.doors_closed.is_set()
        try:
            visit = await teller.queue.windows.call_next(seat.unit, seat.no)
        except Conflict:
            conflicts += 1
            if conflicts == _CONFLICTS_IN_A_ROW:
                raise
            stage.tally.refused += 1
            await _clear(stage, teller, seat)
            continue
        conflicts = 0
        if visit is not None:
            await _serve(stage, teller, visit, seat.unit)
        elif last_round:
            break
        else:
            await asyncio.sleep(_IDLE)
    await teller.queue.windows.close(seat.unit, seat.no)


async def _serve(stage: Stage, teller: AsyncWangdian, visit: Visit, unit: str) -> None:
    course = await stage.course_of(visit, unit)
    visits = teller.queue.visits
    try:
        if course.recalled or not course.comes:
            await visits.recall(visit["id"])
        if not course.comes:
            await visits.no_show(visit["id"])
            return
        await visits.start(visit["id"])
        await asyncio.sleep(course.handling)
        await visits.finish(visit["id"])
    except Conflict:
        stage.tally.refused += 1
        await _bring_to_an_end(stage, teller, visit["id"])
        return
    if course.rates:
        stage.customer(_rate, visit["id"], course)


async def _bring_to_an_end(stage: Stage, teller: AsyncWangdian, visit_id: str) -> None:
    visits = teller.queue.visits
    for _ in range(_CONFLICTS_IN_A_ROW):
        status = (await visits.get(visit_id))["status"]
        try:
            if status == "called":
                await visits.start(visit_id)
            elif status == "serving":
                await visits.finish(visit_id)
            else:
                return
        except Conflict:
            stage.tally.refused += 1


async def _clear(stage: Stage, teller: AsyncWangdian, seat: Seat) -> None:
    async for window in teller.queue.windows.list(seat.unit):
        if window["no"] == seat.no and window.get("visit"):
            await _bring_to_an_end(stage, teller, str(window["visit"]))
            return
    await asyncio.sleep(_IDLE)


async def _leave(stage: Stage, visit: str, course: Course) -> None:
    await asyncio.sleep(course.handling)
    try:
        await stage.identities.of(course.channel, course.unit).queue.visits.leave(visit)
    except Conflict:
        stage.tally.refused += 1


async def _rate(stage: Stage, visit: str, course: Course) -> None:
    kiosk = stage.identities.of("kiosk", course.unit)
    invitation = await _invitation(stage, kiosk, visit)
    if invitation is None:
        stage.tally.uninvited += 1
        return
    view = await kiosk.surveys.invitations.get(invitation["token"])
    try:
        await kiosk.surveys.responses.submit(
            invitation["token"], answers(view["questionnaire"], course, stage.scenario.seed)
        )
    except Conflict:
        stage.tally.refused += 1


async def _invitation(stage: Stage, kiosk: AsyncWangdian, visit: str) -> Invitation | None:
    until = time.monotonic() + stage.scenario.invitation_seconds
    pause = _IDLE
    while True:
        try:
            return await kiosk.surveys.invitations.for_visit(visit)
        except NotFound:
            if time.monotonic() + pause > until:
                return None
        await asyncio.sleep(pause)
        pause = min(1.0, pause * 1.5)
