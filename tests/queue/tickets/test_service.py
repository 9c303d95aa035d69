"""A model of one branch driven at random: whatever happens, the invariants of visits and windows hold."""

import asyncio
import tempfile
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from services.queue.catalogue import service as catalogue
from services.queue.catalogue.schemas import ClassDefinition, ServiceDefinition
from services.queue.spec import SPEC
from services.queue.tickets import service as tickets
from services.queue.tickets.models import Visit
from services.queue.tickets.rules import MOVES
from services.queue.tickets.schemas import TicketRequest
from services.queue.windows import service as windows
from services.queue.windows.models import Window
from services.queue.windows.schemas import OpenWindow, WindowSetUp
from shared.clock import FixedClock
from shared.contracts.queue import VisitState
from shared.db.statements import table
from shared.db.tables import outbox
from shared.directory import replica
from shared.security.principal import Principal
from shared.testing.bank import LONG_AGO, SMALL_BANK, learn
from shared.testing.system import MORNING, system
from shared.web.problems import IllegalTransition, Problem

NAMES = {"zh": "业务", "en": "Service"}
SERVES = {"1": ["cash"], "2": ["cash", "wealth"], "3": ["wealth"]}
STAFF = {"1": "T0001", "2": "T0002", "3": "T0003"}
HEAD_START = {"ordinary": 0, "care": 120}
KIOSK = Principal("kiosk-1", None, frozenset({"kiosk"}), ("gz-001",))
BEFORE = {act: {state.value for state in before} for act, (before, _) in MOVES.items()}


async def furnish(uow):
    for code, prefix in (("cash", "A"), ("wealth", "B")):
        service = ServiceDefinition(
            names=NAMES, prefix=prefix, expected_minutes=5, steps=[{"code": "do", "names": NAMES}],
            materials=[{"code": "id", "names": NAMES, "kind": "required", "form": "original"}],
        )  # fmt: skip
        await catalogue.define_service(uow, code, service, None)
        await catalogue.offer(uow, "gz-001", code, offered=True)
    for code, seconds in HEAD_START.items():
        cls = ClassDefinition(names=NAMES, head_start_seconds=seconds, evidence="none", effective_from=LONG_AGO)
        await catalogue.define_class(uow, code, cls)
    for no, services in SERVES.items():
        await windows.set_up(uow, "gz-001", no, WindowSetUp(services=services))


class BranchMachine(RuleBasedStateMachine):
    """Issue, open, break, close, call and act at random; the model knows what must be."""

    visits = Bundle("visits")

    def __init__(self):
        super().__init__()
        self.loop, self.stack = asyncio.new_event_loop(), AsyncExitStack()
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.clock = FixedClock(MORNING)
        running = self.run(self.stack.enter_async_context(system([SPEC], folder, clock=self.clock)))
        self.db = running.runtime("queue").db
        self.run(learn(self.db, *SMALL_BANK))
        self.write(furnish)
        self.states, self.order, self.windows, self.holds = {}, {}, dict.fromkeys(SERVES, "closed"), {}
        self.counts = {"cash": 0, "wealth": 0}

    def run(self, awaitable):
        return self.loop.run_until_complete(awaitable)

    def write(self, unit):
        return self.run(self.db.write(unit, actor="test"))

    def teardown(self):
        self.run(self.stack.aclose())
        self.run(self.loop.shutdown_default_executor())
        self.loop.close()

    def teller(self, no):
        return Principal(STAFF[no], STAFF[no], frozenset({"teller"}), ("gz-001",))

    @rule(target=visits, service=st.sampled_from(["cash", "wealth"]), cls=st.sampled_from(sorted(HEAD_START)))
    def issue(self, service, cls):
        self.clock.advance(timedelta(seconds=31))

        async def unit(uow):
            branch = await replica.unit(uow, "gz-001")
            return await tickets.issue(uow, branch, TicketRequest(service=service, **{"class": cls}), KIOSK)

        issued = self.write(unit)
        self.counts[service] += 1
        assert int(issued.visit["number"][1:]) == self.counts[service]
        visit = issued.visit["id"]
        self.states[visit] = "waiting"
        self.order[visit] = (self.clock.now() - timedelta(seconds=HEAD_START[cls]), visit, service)
        return visit

    @rule(no=st.sampled_from(sorted(SERVES)), act=st.sampled_from(["open", "break", "resume", "close"]))
    def window(self, no, act):
        async def unit(uow):
            if act == "open":
                return await windows.open_window(uow, await replica.unit(uow, "gz-001"), no, STAFF[no], OpenWindow())
            return await windows.move(uow, self.teller(no), await replica.unit(uow, "gz-001"), no, act)

        before = {"open": {"closed"}, "break": {"open"}, "resume": {"break"}, "close": {"open", "break"}}[act]
        possible = self.windows[no] in before and not (act in ("break", "close") and no in self.holds)
        try:
            self.write(unit)
        except Problem as refused:
            assert not possible
            assert refused.code == ("window_busy" if self.windows[no] in before else "illegal_transition")
        else:
            assert possible
            self.windows[no] = {"open": "open", "break": "break", "resume": "open", "close": "closed"}[act]

    @rule(no=st.sampled_from(sorted(SERVES)))
    def call_next(self, no):
        async def unit(uow):
            return await tickets.call_next(uow, await replica.unit(uow, "gz-001"), no, self.teller(no))

        try:
            called = self.write(unit)
        except Problem as refused:
            expected = "window_busy" if self.windows[no] == "open" else "window_not_open"
            assert refused.code == expected and (self.windows[no] != "open" or no in self.holds)
            return
        assert self.windows[no] == "open" and no not in self.holds
        fitting = [v for v, s in self.states.items() if s == "waiting" and self.order[v][2] in SERVES[no]]
        assert (called.id if called else None) == (min(fitting, key=self.order.__getitem__) if fitting else None)
        if called is not None:
            self.states[called.id], self.holds[no] = "called", called.id

    @rule(visit=visits, act=st.sampled_from(sorted(MOVES)))
    def act(self, visit, act):
        held_at = next((no for no, held in self.holds.items() if held == visit), None)

        async def unit(uow):
            row = await tickets.visit_in(uow, visit, lock=True)
            return await tickets.act(uow, self.teller(held_at or "1"), row, act, None)

        self.clock.advance(timedelta(seconds=5))
        if self.states[visit] not in BEFORE[act]:
            with pytest.raises(IllegalTransition) as refused:
                self.write(unit)
            assert refused.value.members["state"] == self.states[visit]
            return
        self.write(unit)
        self.states[visit] = MOVES[act][1].value
        if self.states[visit] in ("served", "no_show", "left") and held_at:
            del self.holds[held_at]

    @invariant()
    def a_window_holds_at_most_one_living_visit_and_states_agree(self):
        async def look(reads):
            return await reads.all(sa.select(table(Visit))), await reads.all(sa.select(table(Window)))

        visits, held = self.run(self.db.read(look))
        assert {v.id: v.status for v in visits} == self.states
        assert {w.no: w.visit for w in held if w.visit} == self.holds
        assert {w.no: w.state for w in held} == self.windows
        living = [v.window for v in visits if v.status in ("called", "serving")]
        assert sorted(living) == sorted(self.holds)

    @invariant()
    def events_fold_to_the_tables_and_their_sequence_has_no_gap(self):
        told = self.run(self.db.read(lambda reads: reads.all(sa.select(outbox).order_by(outbox.c.seq))))
        last, count = {}, {}
        for row in told:
            count[row.subject] = count.get(row.subject, 0) + 1
            assert int(row.headers["ce_sequence"]) == count[row.subject]
            if row.headers["ce_type"].startswith("queue.visit."):
                last[row.subject] = VisitState.read(bytes(row.payload))
        visits = self.run(self.db.read(lambda reads: reads.all(sa.select(table(Visit)))))
        fields = set(VisitState.model_fields) - {"visit"}
        assert {v.id: {name: getattr(v, name) for name in fields} for v in visits} == {
            visit: {name: getattr(state, name) for name in fields} for visit, state in last.items()
        }


BranchMachine.TestCase.settings = settings(
    max_examples=10, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
test_branch_machine = BranchMachine.TestCase
