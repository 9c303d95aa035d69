"""Alerts of a running system fire and clear in a real Prometheus; those that take minutes are in tests/faults."""

import re

import pytest
import yaml

from shared.testing.stack.alarm import Alarm
from shared.testing.stack.pace import durations, faster, without_durations
from shared.testing.stack.stack import Stack
from tests.distributed.poison import letters, send, unreadable, visit_that_fails
from tests.distributed.test_alerts import RULES
from tests.distributed.tools import wangdian

TIMES = 30
WINDOW = re.compile(r"\[([^]]*)\]")


def lengths(rules: str) -> list[str]:
    """Every length of time in the parsed file, found another way."""
    found: list[str] = []
    for group in yaml.safe_load(rules)["groups"]:
        found += [group["interval"]] if "interval" in group else []
        for rule in group["rules"]:
            found += WINDOW.findall(rule["expr"]) + ([rule["for"]] if "for" in rule else [])
            assert not set(rule) - {"alert", "record", "expr", "for", "labels", "annotations"}
            assert " offset " not in rule["expr"]
    return found


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_only_durations_are_changed_and_all_of_them_by_one_number(path) -> None:
    text = path.read_text()
    quick = faster(text, TIMES)
    assert without_durations(quick) == without_durations(text)
    assert [seconds * TIMES for seconds in durations(quick)] == durations(text)
    assert len(durations(text)) == len(lengths(text))
    assert sorted(lengths(quick)) == sorted(f"{seconds // TIMES}s" for seconds in durations(text))


def test_a_duration_that_cannot_be_divided_is_refused() -> None:
    with pytest.raises(ValueError, match="45 s"):
        faster("    for: 45s\n", TIMES)


def test_parked_subjects_and_dead_letters_fire_until_somebody_decides(used: Stack, tmp_path) -> None:
    parked, dead = visit_that_fails(), unreadable()
    with Alarm(used, tmp_path, TIMES) as alarm:
        send(used, parked, dead)
        try:
            alarm.fires("DeadLetters", "aggregator")
            alarm.fires("SubjectsParked", "aggregator")
            found = letters(used)
            assert {subject: state for subject, (_, state) in found.items()} == {parked.key: "parked", dead.key: "dead"}
        finally:
            for letter, _ in letters(used).values():
                wangdian(
                    used, "events", "discard", letter, "--service", "aggregator", "--reason", "poison",
                    "--url", used.operations,
                )  # fmt: skip
        alarm.clears("DeadLetters", "aggregator")
        alarm.clears("SubjectsParked", "aggregator")
