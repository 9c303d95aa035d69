"""The table of attacks (docs/security.md) names tests that exist, for every row, and leaves none of them out."""

import re

from shared.testing.source import ROOT, modules
from tests.architecture.test_census import exists

TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
TEST = re.compile(r"`(tests/[\w/]+\.py::\w+)`")
ROWS = [
    line
    for line in TEXT.splitlines()
    if line.startswith("| ") and not line.startswith(("| Risk", "| Attack", "| Rule"))
]


def test_every_row_names_its_tests_and_each_of_them_exists() -> None:
    assert [row for row in ROWS if not TEST.search(row)] == []
    assert [test for test in TEST.findall(TEXT) if not exists(test)] == []


def test_the_ten_are_there_in_their_order() -> None:
    assert re.findall(r"^\| (API\d+) ", TEXT, re.MULTILINE) == [f"API{number}" for number in range(1, 11)]


def test_each_file_of_attacks_is_in_the_table() -> None:
    files = {module.path for module in modules("tests/security") if "/test_" in module.path}
    named = {test.partition("::")[0] for test in TEST.findall(TEXT)}
    assert files
    assert files - named == set()
