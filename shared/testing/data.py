"""Where the real data sets are: beside the checkout or one of its parents, never in the repository."""

from pathlib import Path

from shared.testing.source import ROOT

MONTHS = ("calls_1999-01.csv.gz", "calls_1999-02.csv.gz")


def _find(folder: str) -> Path | None:
    for parent in (ROOT, *ROOT.parents):
        path = parent / "shared" / "data" / folder
        if path.is_dir():
            return path
    return None


BANK = _find("technion_anonymous_bank")
"""The call log of a real bank, or None where the data sets are absent."""
