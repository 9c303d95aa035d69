"""Templates of the pages: one Jinja environment a process, made of the kit's and the features' folders.

``shared/layout/desk.html`` is the kit's, ``queue/windows/console.html`` a feature's. Components are at hand as ``ui``:
``{{ ui.button(_("Open")) }}``. An undefined name is an error, never an empty place on a page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from babel.numbers import format_decimal
from jinja2 import BaseLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined, Template

from shared.security.principal import Principal
from shared.web.assets import Assets
from shared.web.forms import new_key
from shared.web.i18n import CATALOGUE, TAGS, Language, Texts, current, speaking

KIT: Final = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Frame:
    """What every page knows: its language, its address, who looks at it, and the server's time."""

    language: Language
    path: str
    query: Mapping[str, str]
    principal: Principal | None
    now: datetime
    mode: str
    """``elder`` for large type (大字版), else ''."""
    development: bool
    idle_seconds: int
    fragment: bool = False

    @property
    def tag(self) -> str:
        """The language's tag in HTML."""
        return TAGS[self.language]

    def here(self, **changes: str) -> str:
        """This page's address with some parameters changed; '' takes one out."""
        query = {name: value for name, value in {**self.query, **changes}.items() if value}
        return f"{self.path}?{urlencode(query)}" if query else self.path


@dataclass(frozen=True, slots=True)
class Screen:
    """A screen as the start page and the menus list it; ``path`` may hold ``{unit}``. Texts are ids of translations.

    ``roles`` are those that get something from it; empty: everybody.
    """

    path: str
    title: str
    about: str
    roles: frozenset[str] = frozenset()
    order: int = 0

    def open_to(self, principal: Principal | None) -> bool:
        """Whether this caller, perhaps nobody, gets something from it."""
        return not self.roles or (principal is not None and not self.roles.isdisjoint(principal.roles))


@dataclass(slots=True)
class PageFolder:
    """A feature's pages: where its templates and files lie, and the screens it offers."""

    name: str
    folder: Path
    screens: Sequence[Screen] = field(default=())
    files: Mapping[str, Path] = field(default_factory=dict)
    """Single files of installed packages that its pages load, by the name they get in the folder."""


class Renderer:
    """Makes HTML of templates."""

    def __init__(self, folders: Sequence[PageFolder], over: Path | None = None) -> None:
        self.texts = Texts([KIT / "locale" / CATALOGUE, *_catalogues(folders)])
        self.assets = Assets(
            {"shared": KIT / "static"} | {found.name: found.folder for found in folders},
            {f"{found.name}/{name}": path for found in folders for name, path in found.files.items()},
            over,
        )
        self.screens = sorted((screen for found in folders for screen in found.screens), key=lambda s: s.order)
        loaders = {found.name: FileSystemLoader(found.folder) for found in folders}
        self._env = Environment(
            # A feature's name holds a slash, so that the prefix ends at the second one.
            loader=PrefixLoader({"shared": FileSystemLoader(KIT), **_nested(loaders)}),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            extensions=["jinja2.ext.i18n"],
        )
        self._env.install_gettext_callables(  # type: ignore[attr-defined]
            self.texts.gettext,
            self.texts.ngettext,
            newstyle=True,
            pgettext=self.texts.pgettext,
            npgettext=self.texts.npgettext,
        )
        self._env.filters |= {"named": named, "number": number, "clock": clock_time, "day": day, "instant": instant}
        self._env.globals |= {"asset": self.assets.url, "new_key": new_key, "screens": self.screens}
        self._env.globals["ui"] = SimpleNamespace()
        for path in sorted((KIT / "components").glob("*.html")):
            module: Any = self._env.get_template(f"shared/components/{path.name}").module
            for name, macro in vars(module).items():
                if not name.startswith("_"):
                    setattr(self._env.globals["ui"], name, macro)

    def render(self, name: str, frame: Frame, view: Mapping[str, Any], block: str = "main") -> bytes:
        """The page ``name``, or only its ``block`` when a fragment is asked for."""
        template = self._env.get_template(name)
        values = {**view, "frame": frame}
        with speaking(frame.language):
            if frame.fragment and block in template.blocks:
                return _block(template, block, values).encode()
            return template.render(values).encode()


def _block(template: Template, block: str, values: Mapping[str, Any]) -> str:
    context = template.new_context(dict(values))
    return "".join(template.blocks[block](context))


def _nested(loaders: Mapping[str, FileSystemLoader]) -> dict[str, BaseLoader]:
    tops: dict[str, dict[str, BaseLoader]] = {}
    for name, loader in loaders.items():
        top, _, rest = name.partition("/")
        tops.setdefault(top, {})[rest] = loader
    return {top: PrefixLoader(found) for top, found in tops.items()}


def _catalogues(folders: Sequence[PageFolder]) -> list[Path]:
    return [path for found in folders if (path := found.folder / CATALOGUE).is_file()]


def named(thing: Any) -> str:
    """The name of a row, a schema or a mapping with ``name_zh`` and ``name_en`` in the language being spoken."""
    key = f"name_{current()}"
    return str(thing[key] if isinstance(thing, Mapping) else getattr(thing, key))


def number(value: float, digits: int = 0) -> str:
    """A figure as it is written in the language: ``1,234.5``."""
    return format_decimal(
        value, "#,##0" + ("." + "0" * digits if digits else ""), locale="zh" if current() == "zh" else "en"
    )


def clock_time(at: datetime, zone: str) -> str:
    """The time of day at a place, ``14:05``."""
    return at.astimezone(ZoneInfo(zone)).strftime("%H:%M")


def instant(at: datetime) -> str:
    """A moment as the ``datetime`` of ``<time>``: HTML allows three digits of a second, Python writes six."""
    return at.isoformat(timespec="milliseconds")


def day(at: datetime, zone: str) -> str:
    """The date at a place, ``2026-03-02``."""
    return at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d")
