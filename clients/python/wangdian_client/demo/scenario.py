"""How many customers come, and what each of them is going to do: settled before the first request."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from wangdian_client.models.queue import Channel
from wangdian_client.models.surveys import Questionnaire

LOWEST_MOOD, HIGHEST_MOOD = 0.35, 1.0


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """The size and the mix of a demo. Shares are between 0 and 1, times in seconds.

    `branches` empty: every branch below `root`. `concurrency` is the number of kiosks that issue at once, `windows` the
    tellers per branch at most. With `service_seconds` and `arrival_seconds` (means) at 0 all goes as fast as the system
    allows. After `max_seconds` the demo ends wherever it stands. Runs of one seed over the same bank make the same
    choices, but each run writes under idempotency keys of its own, so it is new customers who come.
    """

    visits: int
    branches: tuple[str, ...] = ()
    root: str = "hq"
    seed: int = 0
    concurrency: int = 4
    windows: int = 4
    leave: float = 0.08
    no_show: float = 0.05
    recall: float = 0.1
    rate: float = 0.4
    care: float = 0.15
    vip: float = 0.05
    app: float = 0.1
    service_seconds: float = 0.0
    arrival_seconds: float = 0.0
    invitation_seconds: float = 30.0
    max_seconds: float = 300.0


@dataclass(frozen=True)
class Course:
    """What one customer is going to do. `mood` (0 to 1) is how content they will be."""

    index: int
    unit: str
    service: str
    class_: str = "ordinary"
    channel: Channel = "kiosk"
    phone: str | None = None
    leaves: bool = False
    comes: bool = True
    recalled: bool = False
    rates: bool = False
    mood: float = HIGHEST_MOOD
    handling: float = 0.0


def dice(*seed: object) -> Random:
    """Reproducible choices; nothing here is a secret."""
    return Random(":".join(map(str, seed)))  # nosec B311 # noqa: S311


def plan(scenario: Scenario, services: Mapping[str, Collection[str]]) -> list[Course]:
    """The courses of all customers, in the order of their coming. `services`: what may be asked for, by branch."""
    chance = dice(scenario.seed, "plan")
    units = sorted(services)
    return [_course(index, scenario, chance, services, units) for index in range(scenario.visits)]


def _course(
    index: int, scenario: Scenario, chance: Random, services: Mapping[str, Collection[str]], units: Sequence[str]
) -> Course:
    unit = chance.choice(units)
    service = chance.choice(sorted(services[unit]))
    privilege = chance.random()
    by_app = chance.random() < scenario.app
    leaves = chance.random() < scenario.leave
    comes = chance.random() >= scenario.no_show
    return Course(
        index=index,
        unit=unit,
        service=service,
        class_="vip"
        if privilege < scenario.vip
        else "care"
        if privilege < scenario.vip + scenario.care
        else "ordinary",
        channel="app" if by_app else "kiosk",
        phone=f"1390000{chance.randrange(10_000):04}" if by_app else None,
        leaves=leaves,
        comes=comes,
        recalled=chance.random() < scenario.recall,
        rates=chance.random() < scenario.rate,
        mood=chance.uniform(LOWEST_MOOD, HIGHEST_MOOD),
        handling=chance.expovariate(1 / scenario.service_seconds) if scenario.service_seconds > 0 else 0.0,
    )


def answers(questionnaire: Questionnaire, course: Course, seed: int) -> dict[str, int]:
    """The scores this customer gives: each item near their mood on its own scale, some optional items left out."""
    chance = dice(seed, "answers", course.index)
    given = {}
    for item in questionnaire["items"]:
        low, high = item["scale_min"], item["scale_max"]
        score = round(low + (high - low) * chance.gauss(course.mood, 0.15))
        if chance.random() < 0.7 or item["required"]:
            given[item["code"]] = min(high, max(low, score))
    return given
