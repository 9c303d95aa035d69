"""Any unit of the tree has the sum of the facts below it, whatever has been carried up, moved or made anew so far."""

import asyncio
import json
import random
from collections import defaultdict
from dataclasses import replace
from datetime import date

import pytest
import sqlalchemy as sa

from services.aggregator.facts import rebuild
from services.aggregator.figures import service as shown
from services.aggregator.metrics import generations, subtotals
from services.aggregator.metrics import service as metrics
from services.aggregator.metrics.answers import periods, point
from services.aggregator.metrics.buckets import BEYOND, bucket_of
from services.aggregator.metrics.contributions import contributions
from services.aggregator.metrics.definitions import METRICS
from services.aggregator.metrics.service import Question
from services.aggregator.metrics.sources import bucket_in_sql
from services.aggregator.metrics.subtotals import above_of
from services.aggregator.metrics.values import Cell
from shared.directory import replica
from shared.testing.bank import unit

FIRST, LAST = date(2026, 2, 27), date(2026, 3, 3)
DAYS = [FIRST, date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 2), LAST]
PATHS = {
    "hq": "/hq/", "p1": "/hq/p1/", "p2": "/hq/p2/", "c1": "/hq/p1/c1/", "c2": "/hq/p1/c2/", "c3": "/hq/p2/c3/",
    "b1": "/hq/p1/c1/b1/", "b2": "/hq/p1/c1/b2/", "b3": "/hq/p1/c2/b3/", "b4": "/hq/p2/c3/b4/", "b5": "/hq/p2/b5/",
}  # fmt: skip
PLACES = ["b1", "b2", "b3", "b4", "b5", "c1", "unknown"]
"""Where visits happen: also at a unit that has others below it, and at one that nobody has told of."""


class Tree:
    """The organisation as it was last told."""

    def __init__(self, figures):
        self.figures, self.paths, self.sequence = figures, dict(PATHS), 1

    async def tell(self, *names):
        """Tell the units ``names`` as they now are."""
        self.sequence += 1
        told = [unit(name, (above_of(self.paths[name]) or [None])[-1], self.paths[name]) for name in names]
        await self.figures.learn(*told, sequence=self.sequence)

    async def move(self, name, above):
        """Put a unit with all below it under another."""
        old, new = self.paths[name], f"{self.paths[above]}{name}/"
        moved = [each for each, path in self.paths.items() if path.startswith(old)]
        for each in moved:
            self.paths[each] = new + self.paths[each].removeprefix(old)
        await self.tell(*moved)

    async def anything(self, rng):
        """Move a branch or a city somewhere else, or tell again what is known."""
        if rng.random() < 0.3:
            await self.tell(*rng.sample(sorted(self.paths), 3))
        elif rng.random() < 0.5:
            await self.move(rng.choice(["b1", "b2", "b3", "b4", "b5"]), rng.choice(["c1", "c2", "c3", "p2"]))
        else:
            await self.move(rng.choice(["c1", "c2", "c3"]), rng.choice(["p1", "p2"]))


def expected(facts, paths, asked):
    """The points that the facts alone make."""
    inside = {name for name, path in paths.items() if path.startswith(asked.unit.path)}
    cells = defaultdict(list)
    for fact in facts:
        for each in contributions([fact]):
            if each.metric == asked.metric.id and each.unit in inside and asked.first <= each.day <= asked.last:
                cell = Cell(each.bucket, each.n, each.numerator, each.denominator)
                cells[asked.period(each.day)].append(cell)
    return [
        point(asked.metric, first, last, cells[asked.period(first)], within=asked.within)
        for first, last in periods(asked.first, asked.last, asked.by)
    ]


async def question(figures, name, metric, by="day", within=900):
    async def ask(reads):
        place = await replica.unit(reads, name)
        return Question(METRICS[metric], place, FIRST, LAST, by, await metrics.is_leaf(reads, place), within)

    return await figures.db.read(ask)


async def answer(figures, asked):
    return await figures.db.read(lambda reads: shown.points(reads, asked, frozenset()))


async def assert_right(figures, tree, questions):
    facts = await figures.facts()
    for name, metric, by, within in questions:
        asked = await question(figures, name, metric, by, within)
        assert await answer(figures, asked) == expected(facts, tree.paths, asked), (name, metric, by, within)


def some_questions(rng, count):
    limits = [1, 60, 61, 65, 299, 300, 317, 900, 901, 1_777, 4_000, 86_399, 86_400]
    names, ids = sorted(PATHS), sorted(METRICS)
    return [
        (rng.choice(names), rng.choice(ids), rng.choice(["day", "month", "total"]), rng.choice(limits))
        for _ in range(count)
    ]


EVERY_QUESTION = [
    (name, metric, by, within)
    for name in PATHS
    for metric, by, within in [
        *((each, "day", 900) for each in METRICS if METRICS[each].kind != "duration"),
        ("wait.seconds", "total", 900), ("handling.seconds", "month", 900), ("wait.service_level", "total", 317),
        ("wait.service_level", "month", 60),
    ]
]  # fmt: skip


def some_events(rng, tell_visit, tell_invitation, partition=""):
    """Events of visits and invitations that may be new, older or newer than what is known of the same.

    A subject is of one ``partition``.
    """
    told = []
    for _ in range(rng.randint(1, 12)):
        place = {"unit": rng.choice(PLACES), "day": rng.choice(DAYS)}
        if rng.random() < 0.2:
            scores = [rng.randint(0, 6) for _ in range(rng.randint(0, 3))] if rng.random() < 0.6 else None
            name = f"i{partition}{rng.randint(0, 9)}"
            told.append(tell_invitation(name, scores, sequence=rng.randint(1, 9), **place))
            continue
        state = rng.choice(["waiting", "called", "serving", "served", "served", "served", "left", "left", "no_show"])
        wait = rng.choice([0, 59, 61, 62, 316, 318, 900, 901, 1_790, 4_000, 90_000])
        service = rng.choice(["cash", "loan"])
        sequence = rng.randint(1, 9)
        name = f"v{partition}{rng.randint(0, 29)}"
        told.append(tell_visit(name, state, wait=wait, sequence=sequence, service=service, **place))
    return told


async def carry_all(figures):
    while await figures.db.write(subtotals.carry_up, actor="test"):
        pass


@pytest.fixture
def small_steps(monkeypatch):
    monkeypatch.setattr(rebuild, "FACTS_A_STEP", 7)
    monkeypatch.setattr(rebuild, "ROWS_A_STEP", 50)
    monkeypatch.setattr(subtotals, "CARRIES_A_STEP", 9)
    monkeypatch.setattr(subtotals, "UNITS_A_STEP", 3)


@pytest.mark.usefixtures("small_steps")
async def test_any_unit_has_the_sum_of_the_facts_below_it(figures, tell_visit, tell_invitation):
    for seed in range(4):
        rng = random.Random(seed)
        await figures.empty()
        tree = Tree(figures)
        # Some units are heard of only after their first visits.
        late = rng.sample(["b1", "b3", "c3", "b4", "p2"], 3)
        await tree.tell(*(each for each in PATHS if each not in late))
        for step in range(14):
            if step == 3:
                await tree.tell(*late)
            await figures.tell(*some_events(rng, tell_visit, tell_invitation))
            for _ in range(rng.randint(0, 3)):
                await figures.db.write(subtotals.carry_up, actor="test")
            if rng.random() < 0.3:
                await tree.anything(rng)
            if rng.random() < 0.2:
                await figures.ask_for_rebuild()
            for _ in range(rng.randint(0, 3)):
                await figures.db.write(rebuild.step, actor="test")
            if step >= 3:
                await assert_right(figures, tree, some_questions(rng, 6))
        await assert_right(figures, tree, EVERY_QUESTION)
        await carry_all(figures)
        await figures.rebuilt()
        await figures.assert_true()
        await assert_right(figures, tree, EVERY_QUESTION)


async def test_arrivals_carries_moves_and_a_rebuild_at_once(figures, tell_visit, tell_invitation, monkeypatch):
    monkeypatch.setattr(subtotals, "CARRIES_A_STEP", 25)
    monkeypatch.setattr(rebuild, "FACTS_A_STEP", 15)
    tree = Tree(figures)
    await tree.tell(*PATHS)

    async def arrive(partition):
        rng = random.Random(partition)
        for _ in range(12):
            await figures.tell(*some_events(rng, tell_visit, tell_invitation, f"{partition}-"))

    async def carry():
        for _ in range(12):
            await figures.db.write(subtotals.carry_up, actor="test")

    async def move():
        rng = random.Random(99)
        for _ in range(6):
            await tree.anything(rng)

    async def make_anew():
        await figures.ask_for_rebuild()
        for _ in range(12):
            await figures.db.write(rebuild.step, actor="test")

    await asyncio.gather(arrive(1), arrive(2), arrive(3), carry(), carry(), move(), make_anew())
    await assert_right(figures, tree, EVERY_QUESTION)
    await figures.rebuilt()
    await carry_all(figures)
    await figures.assert_true()
    await assert_right(figures, tree, EVERY_QUESTION)


async def test_the_check_places_units_that_were_told_before_there_were_subtotals(figures, tell_visit, monkeypatch):
    monkeypatch.setattr(subtotals, "UNITS_A_STEP", 4)
    tree = Tree(figures)
    await tree.tell(*PATHS)
    await figures.tell(*(tell_visit(f"v{i}", unit=f"b{i % 5 + 1}", day=FIRST) for i in range(20)))
    await carry_all(figures)

    async def forget(uow):
        for name in ("unit_place", "unit_above", "subtotal", "subtotal_second"):
            await uow.execute(sa.delete(figures.tables[name]))

    await figures.db.write(forget, actor="test")
    rounds = 0
    while await figures.db.write(subtotals.place_some, actor="test"):
        rounds += 1
    assert rounds == 3  # eleven units, four at a time
    await assert_right(figures, tree, EVERY_QUESTION)


async def _say(figures, **versions):
    async def save(uow):
        state = await generations.seize(uow)
        stored = {name: at for name, at in (json.loads(state.versions) | versions).items() if at is not None}
        await generations.save(uow, state._replace(versions=json.dumps(stored, sort_keys=True)))

    await figures.db.write(save, actor="test")


async def test_cells_of_a_build_without_subtotals_are_summed_until_they_are_made_anew(figures, tell_visit):
    tree = Tree(figures)
    await tree.tell(*PATHS)
    await figures.tell(*(tell_visit(f"v{i}", unit=f"b{i % 5 + 1}", day=FIRST, wait=i * 99) for i in range(20)))

    async def forget(uow):
        await uow.execute(sa.delete(figures.tables["carry"]))

    await figures.db.write(forget, actor="test")
    await _say(figures, **{generations.SUBTOTALS: None})
    asked = await question(figures, "p1", "visits.served")
    assert (await figures.db.read(lambda reads: metrics.read_from(reads, asked))).source == "sum"
    await assert_right(figures, tree, EVERY_QUESTION)
    await figures.rebuilt()
    assert (await figures.db.read(lambda reads: metrics.read_from(reads, asked))).source == "tree"
    await assert_right(figures, tree, EVERY_QUESTION)


async def test_a_service_level_that_was_kept_in_another_way_is_not_misread(figures, tell_visit):
    tree = Tree(figures)
    await tree.tell(*PATHS)
    await figures.tell(*(tell_visit(f"v{i}", unit="b1", day=FIRST, wait=4_000) for i in range(3)))
    await _say(figures, **{"wait.service_level": 1})
    asked = await question(figures, "hq", "wait.service_level", "total")
    (told,) = await figures.db.read(lambda reads: shown.points(reads, asked))
    assert (told.n, told.value, told.incomplete) == (0, None, True)
    below = await figures.db.read(lambda reads: shown.children(reads, asked))
    assert [(each.unit, each.point.n) for each in below] == [("p1", 0), ("p2", 0)]
    await figures.rebuilt()
    (told,) = await figures.db.read(lambda reads: shown.points(reads, asked))
    assert (told.n, told.value, told.incomplete) == (3, 0.0, False)


async def test_units_below_have_their_own_figures_and_exact_service_levels(figures, tell_visit):
    tree = Tree(figures)
    await tree.tell(*PATHS)
    waits = [(f"b{i % 5 + 1}", 290 + i * 3) for i in range(40)]
    await figures.tell(*(tell_visit(f"v{i}", unit=place, day=FIRST, wait=w) for i, (place, w) in enumerate(waits)))
    for carried in (False, True):
        if carried:
            await carry_all(figures)
        for name in ("hq", "p1", "p2", "c1"):
            for metric, within in (("visits.served", 900), ("wait.seconds", 900), ("wait.service_level", 317)):
                asked = await question(figures, name, metric, "total", within)
                for each in await figures.db.read(lambda reads, a=asked: shown.children(reads, a)):
                    own = await question(figures, each.unit, metric, "total", within)
                    (whole,) = await answer(figures, own)
                    # Quantiles are not read for the units below.
                    assert replace(each.point, p50=None, p90=None, p95=None) == replace(
                        whole, p50=None, p90=None, p95=None
                    )


async def test_a_wall_and_a_histogram_of_an_inner_unit_are_those_of_its_branches(figures, tell_visit):
    tree = Tree(figures)
    await tree.tell(*PATHS)
    await figures.tell(*(tell_visit(f"v{i}", unit=f"b{i % 5 + 1}", day=DAYS[i % 5], wait=i * 40) for i in range(30)))
    await figures.db.write(subtotals.carry_up, actor="test")
    await figures.tell(*(tell_visit(f"w{i}", "left", unit="b1", day=LAST, wait=i * 40) for i in range(9)))
    facts = await figures.facts()
    for name in ("hq", "p1", "c1", "b1"):
        asked = await question(figures, name, "wait.seconds")
        for metric, (_, series) in (await figures.db.read(lambda reads, a=asked: shown.wall(reads, a))).items():
            assert series == expected(facts, tree.paths, asked.of(METRICS[metric])), (name, metric)
        counts = await figures.db.read(lambda reads, a=asked: shown.histogram(reads, a))
        assert counts.total() == sum(each.n for each in expected(facts, tree.paths, asked))
        assert await figures.db.read(lambda reads, a=asked: shown.last_day(reads, a)) == LAST


async def test_the_database_finds_the_same_bucket(figures):
    second = sa.select(sa.literal_column("0", sa.Integer).label("s")).cte("second", recursive=True)
    second = second.union_all(sa.select(second.c.s + 1).where(second.c.s < BEYOND))
    rows = await figures.rows(sa.select(second.c.s, bucket_in_sql(second.c.s)))
    assert [tuple(row) for row in rows] == [(each, bucket_of(each)) for each in range(BEYOND + 1)]
