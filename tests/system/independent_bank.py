"""The figures of the anonymous-bank files, computed a second time from the issue's text alone.

Nothing of the product is imported here: plain ``csv`` and ``datetime``, a whole file in memory, exact order statistics.
"""

import csv
import gzip
import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from pathlib import Path

FOLDER = Path("shared/data/technion_anonymous_bank")


def find_month(month: str) -> Path | None:
    """The file of ``month`` ("1999-01"), looked for beside the checkout and its parents; None if it is not there."""
    for parent in Path(__file__).resolve().parents:
        path = parent / FOLDER / f"calls_{month}.csv.gz"
        if path.is_file():
            return path
    return None


@dataclass
class Day:
    """One business date: durations in seconds."""

    served: int = 0
    left: int = 0
    waits: list[int] = field(default_factory=list)
    left_after: list[int] = field(default_factory=list)
    handling: list[int] = field(default_factory=list)


@dataclass
class Month:
    """One file."""

    lines: int
    rejected: Counter[str]
    days: dict[date, Day]
    visits: list[dict[str, object]]

    @property
    def accepted(self) -> int:
        return sum(day.served + day.left for day in self.days.values())

    def total(self) -> Day:
        """All days in one."""
        total = Day()
        for day in self.days.values():
            total.served += day.served
            total.left += day.left
            total.waits += day.waits
            total.left_after += day.left_after
            total.handling += day.handling
        return total


def seconds(text: str) -> int:
    moment = datetime.strptime(text, "%H:%M:%S")
    return moment.hour * 3600 + moment.minute * 60 + moment.second


def after_entry(text: str, entry: str, day: datetime) -> datetime:
    moment = day + timedelta(seconds=seconds(text))
    if moment < day + timedelta(seconds=seconds(entry)) - timedelta(hours=1):
        moment += timedelta(days=1)
    return moment


def read_month(path: Path) -> Month:
    """Every line of the file by the rules of the issue; wall-clock times without a zone."""
    lines, rejected = 0, Counter[str]()
    days: dict[date, Day] = defaultdict(Day)
    visits: list[dict[str, object]] = []
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            lines += 1
            if row["outcome"] == "PHANTOM":
                rejected["phantom"] += 1
                continue
            at_once = row["q_start"] == "0:00:00" and row["q_exit"] == "0:00:00" and row["q_time"] == "0"
            if row["outcome"] == "HANG" and at_once:
                rejected["no_ticket"] += 1
                continue
            assert row["outcome"] in {"AGENT", "HANG"}
            day = datetime.strptime(row["date"], "%y%m%d")
            issued = after_entry(row["vru_exit"] if at_once else row["q_start"], row["vru_entry"], day)
            wait = 0 if at_once else int(row["q_time"])
            figures = days[day.date()]
            if row["outcome"] == "AGENT":
                figures.served += 1
                figures.waits.append(wait)
            else:
                figures.left += 1
                figures.left_after.append(wait)
            record = not (row["ser_start"] == "0:00:00" and row["ser_exit"] == "0:00:00" and row["ser_time"] == "0")
            if record:
                figures.handling.append(int(row["ser_time"]))
            visits.append(
                {
                    "key": (row["vru+line"], int(row["call_id"]), row["date"]),
                    "day": day.date(),
                    "service": row["type"],
                    "priority": int(row["priority"]),
                    "issued": issued,
                    "over": issued + timedelta(seconds=wait),
                    "outcome": row["outcome"],
                    "wait": wait,
                    "handling": int(row["ser_time"]) if record else None,
                    "started": after_entry(row["ser_start"], row["vru_entry"], day) if record else None,
                    "finished": after_entry(row["ser_exit"], row["vru_entry"], day) if record else None,
                    "server": row["server"],
                }
            )
    return Month(lines, rejected, dict(days), visits)


def quantile(values: list[int], share: Fraction) -> int:
    """The smallest value that at least ``share`` of ``values`` do not exceed: order statistic ceil(share x n)."""
    return sorted(values)[math.ceil(share * len(values)) - 1]


def service_level(day: Day, within: int) -> tuple[int, int]:
    """Served within ``within`` seconds, and served plus left after ``within`` seconds."""
    served = sum(1 for wait in day.waits if wait <= within)
    return served, len(day.waits) + sum(1 for wait in day.left_after if wait > within)
