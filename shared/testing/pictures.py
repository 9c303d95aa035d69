"""The README's pictures (``make pictures``): chosen screenshots of the browser tests, copied to ``docs/pictures``.

A picture is added by a line in :data:`PICTURES`; its screenshot is what a test took by ``sound`` or ``shot``.
"""

import shutil
import sys
from pathlib import Path
from typing import Final

from shared.testing.browser import SCREENSHOTS
from shared.testing.source import ROOT

FOLDER: Final = ROOT / "docs" / "pictures"
LARGEST: Final = 200_000
"""Bytes of one picture: they live in the repository for ever."""
PICTURES: Final = {
    "board": "board/calling-zh",
    "desk": "desk/called-zh",
    "kiosk": "kiosk/taken-zh-normal",
    "metrics": "metrics/wall",
}
"""Name in ``docs/pictures`` -> the screenshot."""


def main(pictures: dict[str, str] = PICTURES, source: Path = SCREENSHOTS, folder: Path = FOLDER) -> int:
    """Copy them; returns how many are missing or too large, which are said and left as they were."""
    wrong = 0
    folder.mkdir(parents=True, exist_ok=True)
    for name, screenshot in pictures.items():
        path = source / f"{screenshot}.png"
        size = path.stat().st_size if path.is_file() else None
        if size is None or size > LARGEST:
            sys.stderr.write(
                f"{screenshot}: {'no such screenshot' if size is None else f'{size} bytes are too many'}\n"
            )
            wrong += 1
        else:
            shutil.copyfile(path, folder / f"{name}.png")
    return wrong


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
