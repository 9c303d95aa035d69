"""Facts and cells after any history of events, on both databases."""

import random
from datetime import date

STATES = ("waiting", "called", "serving", "served")


def history(rng, tell_visit, tell_invitation):
    """Visits that go on, change their minds, and are rated, as events with sequences."""
    told = []
    for i in range(rng.randint(1, 8)):
        place = {"unit": rng.choice(["gz-001", "gz-002"]), "service": rng.choice(["cash", "loan"])}
        path = rng.choice(
            [STATES, STATES[:2], ("waiting", "left"), ("waiting", "called", "no_show"), ("served", "served")]
        )
        for sequence, state in enumerate(path, start=1):
            day = date(2026, 3, rng.choice([2, 2, 2, 3]))
            wait, handling = rng.choice([0, 59, 901, 4_000]), rng.randint(0, 2_000)
            told.append(tell_visit(f"v{i}", state, wait=wait, handling=handling, sequence=sequence, day=day, **place))
    for i in range(rng.randint(0, 4)):
        told.append(tell_invitation(f"i{i}", day=date(2026, 3, 2)))
        if rng.random() < 0.6:
            scores = [rng.randint(0, 6) for _ in range(rng.randint(0, 3))]
            told.append(tell_invitation(f"i{i}", scores, sequence=2))
    return told


def batches(rng, events):
    """The events shuffled, some of them twice, cut anywhere."""
    mixed = events + rng.sample(events, rng.randint(0, len(events)))
    rng.shuffle(mixed)
    while mixed:
        size = rng.randint(1, len(mixed))
        yield mixed[:size]
        mixed = mixed[size:]


async def test_any_order_gives_the_cells_of_the_final_facts(figures, tell_visit, tell_invitation):
    for seed in range(40):
        rng = random.Random(seed)
        told = history(rng, tell_visit, tell_invitation)
        await figures.empty()
        await figures.tell(*told)
        in_order, facts = await figures.cells(), set(await figures.facts())
        await figures.empty()
        for batch in batches(rng, told):
            await figures.tell(*batch)
            await figures.assert_true()
        assert set(await figures.facts()) == facts, seed
        assert await figures.cells() == in_order, seed


async def test_rollups_are_the_sums_of_the_cells(figures, tell_visit):
    await figures.tell(*(tell_visit(f"v{i}", wait=i * 100, unit=f"b{i % 3}") for i in range(20)))
    await figures.assert_true()
    rollups = await figures.rollups()
    # Waits of 0, 100, … 1900 s: ten of them, 0 to 900, are within 900 s.
    assert rollups[date(2026, 3, 2), "wait.service_level"] == [20, 10, 20]
    assert rollups[date.min, "visits.served"] == [20, 20, 20]


async def test_a_late_response_corrects_the_day_of_its_visit(figures, tell_visit, tell_invitation):
    await figures.tell(tell_visit(), tell_invitation())
    await figures.tell(tell_visit("v2", day=date(2026, 3, 9)))
    await figures.tell(tell_invitation(scores=[5, 3], sequence=2))
    sums = {(key[0], key[2]): value for key, value in (await figures.cells()).items()}
    assert sums["survey.csat", date(2026, 3, 2)] == (1, 1, 2)
    assert sums["survey.response_rate", date(2026, 3, 2)] == (1, 1, 1)
    assert ("survey.csat", date(2026, 3, 9)) not in sums


async def test_an_older_event_changes_nothing(figures, tell_visit):
    await figures.tell(tell_visit(state="served", sequence=4))
    before = await figures.cells()
    await figures.tell(tell_visit(state="called", sequence=2), tell_visit(state="left", sequence=4))
    assert await figures.cells() == before


async def test_the_wait_of_who_was_never_called_ends_when_they_leave(figures, tell_visit):
    await figures.tell(tell_visit(state="left", wait=601))
    (fact,) = await figures.facts()
    assert fact.wait_seconds == 601


async def test_answers_on_another_scale_are_kept_and_do_not_count(figures, tell_invitation):
    await figures.tell(tell_invitation(scores=[9, 10], scale=(0, 10)))
    (fact,) = await figures.facts()
    assert fact.responded
    assert fact.csat_items == ()
