"""The board's clips (叫号语音), made anew: ``python -m services.commands.voices`` (Debian: espeak-ng, opus-tools).

A word is spoken, its silence cut, made as loud as the others and packed as Opus; a chime is two tones. What is made is
committed, and a bank lays its own speaker over it (docs/pages.md).
"""

import math
import subprocess  # nosec B404
import sys
import wave
from array import array
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

FOLDER: Final = Path(__file__).parents[1] / "queue" / "displays" / "web" / "voice"
RATE: Final = 22_050
LOUDEST: Final = 24_000
SILENT: Final = 400
LETTERS: Final = {letter.lower(): letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
ENGLISH: Final = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
TENS: Final = {
    20: "twenty", 30: "thirty", 40: "forty", 50: "fifty", 60: "sixty", 70: "seventy", 80: "eighty", 90: "ninety",
}  # fmt: skip
WORDS: Final[dict[str, dict[str, str]]] = {
    "zh": {"please": "请", "to": "号到", "window": "号窗口"}
    | {str(number): digit for number, digit in enumerate("零一二三四五六七八九十")}
    | LETTERS,
    "en": {"number": "Number", "to": "please go to window"}
    | {str(number): name for number, name in (*enumerate(ENGLISH), *TENS.items())}
    | LETTERS,
}
VOICES: Final = {"zh": ("cmn", "185"), "en": ("en-us", "175")}
"""Language → espeak-ng's voice, and words a minute."""


def main() -> None:
    """Make every clip."""
    with TemporaryDirectory() as folder:
        spoken = Path(folder) / "spoken.wav"
        for language, words in WORDS.items():
            voice, speed = VOICES[language]
            for name, text in words.items():
                _run("espeak-ng", "-v", voice, "-s", speed, "-w", str(spoken), text)
                _pack(_trimmed(_read(spoken)), FOLDER / language / f"{name}.opus", spoken)
        _pack(_chime(), FOLDER / "chime.opus", spoken)
    total = sum(path.stat().st_size for path in FOLDER.rglob("*.opus"))
    sys.stdout.write(f"{len(list(FOLDER.rglob('*.opus')))} clips, {total} bytes\n")


def _run(*command: str) -> None:
    subprocess.run(command, check=True, timeout=60)  # noqa: S603  # nosec B603


def _read(path: Path) -> "array[int]":
    with wave.open(str(path)) as file:
        if (file.getnchannels(), file.getsampwidth(), file.getframerate()) != (1, 2, RATE):
            raise ValueError(f"{path}: not what was asked for")
        return array("h", file.readframes(file.getnframes()))


def _trimmed(samples: "array[int]") -> "array[int]":
    """Without the silence around it, a breath left at each end, and as loud as every other clip."""
    loud = [at for at, sample in enumerate(samples) if abs(sample) > SILENT]
    first, last = max(0, loud[0] - RATE // 100), min(len(samples), loud[-1] + RATE // 20)
    factor = LOUDEST / max(abs(sample) for sample in samples)
    return array("h", (round(sample * factor) for sample in samples[first:last]))


def _chime() -> "array[int]":
    """Ding, dong: E5 and C5, each dying away."""
    samples = array("h")
    for tone, seconds in ((659.26, 0.3), (523.25, 0.55)):
        for at in range(round(RATE * seconds)):
            fade = math.exp(-4 * at / RATE) * min(1.0, at / (RATE * 0.005))
            turn = 2 * math.pi * tone * at / RATE
            samples.append(round(LOUDEST * 0.7 * fade * (math.sin(turn) + 0.25 * math.sin(2 * turn)) / 1.25))
    return samples


def _pack(samples: "array[int]", target: Path, work: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(work), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
    _run("opusenc", "--quiet", "--bitrate", "24", "--discard-comments", "--serial", "1", str(work), str(target))


if __name__ == "__main__":
    main()
