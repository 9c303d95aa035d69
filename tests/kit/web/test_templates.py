"""What holds for every template, style sheet, script and text of the pages."""

import hashlib
import re
import tomllib
from collections.abc import Iterator

import pytest

from shared.testing import texts
from shared.testing.source import ROOT, committed

TEMPLATES = [p for p in committed() if p.endswith(".html") and p.startswith(("shared/web/", "services/"))]
SCRIPTS = [
    p for p in committed() if p.endswith(".js") and "/vendor/" not in p and p.startswith(("shared/", "services/"))
]
TOKENS = (ROOT / "shared/web/static/css/tokens.css").read_text()
CJK = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
OWN_NAMES = "中文"
"""A language's own name stands in it in every language."""

FORBIDDEN = {
    "inline style": re.compile(r"\sstyle\s*="),
    "inline script": re.compile(r"<script(?![^>]*\ssrc=)[^>]*>|\son[a-z]+\s*=|javascript:"),
    "htmx beyond the list": re.compile(
        r"data-hx-(?!(?:get|post|target|swap|trigger|select|confirm|push-url)\b)[\w-]+|\shx-[\w-]+\s*=|js:"
    ),
    "another host": re.compile(r"https?://(?!www\.w3\.org/)"),
    "unescaped": re.compile(r"\|\s*safe\b|autoescape\s+false"),
}


def lines(paths: list[str]) -> Iterator[tuple[str, str]]:
    for path in paths:
        text = re.sub(r"{#.*?#}", lambda m: "\n" * m[0].count("\n"), (ROOT / path).read_text(), flags=re.DOTALL)
        for number, line in enumerate(text.splitlines(), 1):
            yield f"{path}:{number}", line


@pytest.mark.parametrize("what", FORBIDDEN)
def test_templates_keep_to_the_policy(what):
    assert [f"{place}: {line.strip()}" for place, line in lines(TEMPLATES) if FORBIDDEN[what].search(line)] == []


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("inline style", '<p style="color:red">'),
        ("inline script", "<script>x</script>"),
        ("inline script", '<a onclick="x">'),
        ("htmx beyond the list", '<a data-hx-on:click="x">'),
        ("htmx beyond the list", '<a hx-get="/">'),
        ("another host", '<img src="https://x.example/">'),
        ("unescaped", "{{ x | safe }}"),
    ],
)
def test_the_policy_sees_offences(what, line):
    assert FORBIDDEN[what].search(line)


def test_chinese_stands_in_translations_only():
    offences = [place for place, line in lines([*TEMPLATES, *SCRIPTS]) if CJK.search(line.replace(OWN_NAMES, ""))]
    assert offences == []


def test_every_text_is_translated():
    assert [f"{text.place}: {text.id}" for text in texts.missing()] == []


def test_a_translation_keeps_its_placeholders():
    wrong = []
    for home, catalogue in texts.catalogues().items():
        for message in catalogue:
            ids = message.id if isinstance(message.id, tuple) else (message.id,)
            found = message.string if isinstance(message.string, tuple) else (message.string,)
            wanted = set(re.findall(r"%\((\w+)\)", " ".join(ids)))
            if message.id and wanted != set(re.findall(r"%\((\w+)\)", " ".join(found))):
                wrong.append(f"{home}: {message.id}")
    assert wrong == []


def test_scripts_are_short_and_call_no_other_host():
    for path in SCRIPTS:
        text = (ROOT / path).read_text()
        assert text.count("\n") <= 150, path
        assert not FORBIDDEN["another host"].search(text), path
        assert not re.search(r"\beval\(|new Function|innerHTML\s*=", text), path


def test_vendored_files_are_what_their_authors_published():
    folder = ROOT / "shared/web/static/vendor"
    listed = tomllib.loads((folder / "VENDORED.toml").read_text())
    assert {p.name for p in folder.iterdir()} == {*listed, "VENDORED.toml"}
    for name, entry in listed.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == entry["sha256"], name


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def palettes() -> dict[str, dict[str, str]]:
    """Selector -> the colours in force under it: the root's, and what it overrides."""
    blocks = re.findall(r"((?::root|\[data-)[^{}]*?)\s*{([^{}]*)}", TOKENS)
    colours: dict[str, dict[str, str]] = {}
    for selector, body in blocks:
        colours.setdefault(selector.strip(), {}).update(re.findall(r"(--[\w-]+):\s*(#[0-9a-f]{6})\b", body))
    return {selector: colours[":root"] | own for selector, own in colours.items() if own}


PAIRS = [
    (ink, paper, float(least)) for ink, paper, least in re.findall(r"pair: (--[\w-]+) on (--[\w-]+) ([\d.]+)", TOKENS)
]


@pytest.mark.parametrize("palette", palettes())
def test_declared_pairs_have_their_contrast(palette):
    found = palettes()[palette]
    weak = {
        f"{ink} on {paper}": round(contrast(found[ink], found[paper]), 2)
        for ink, paper, least in PAIRS
        if contrast(found[ink], found[paper]) < least
    }
    assert weak == {}
    assert len(PAIRS) > 25
    assert round(contrast("#000000", "#ffffff"), 1) == 21.0
