"""Languages of the pages: English ids in the source, Chinese from ``.po`` files; Chinese where nothing else is asked.

Templates say ``_("…")`` or ``{% trans %}``; Python marks an id with :func:`N_` and lets the template translate it. Each
feature keeps its own file (``web/zh_Hans_CN.po``), the kit the words that several need (``shared/web/locale``).
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Final, Literal, cast

from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from starlette.requests import Request

from shared.web.handlers import language_of

Language = Literal["zh", "en"]

CATALOGUE: Final = "zh_Hans_CN.po"
COOKIE: Final = "wd_lang"
TAGS: Final = {"zh": "zh-Hans-CN", "en": "en"}
"""Language -> its tag in HTML."""

_speaking: ContextVar[Language] = ContextVar("language", default="zh")


def N_(text: str) -> str:  # noqa: N802 - the name that message extraction knows
    """Mark an id for translation where the language is not known yet; it stays as it is."""
    return text


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Render in this language. (Set around each rendering: a unit of work may run in another thread.)"""
    token = _speaking.set(language)
    try:
        yield
    finally:
        _speaking.reset(token)


def current() -> Language:
    """The language of the page being rendered."""
    return _speaking.get()


def page_language(request: Request) -> Language:
    """``?lang``, else the cookie, else Accept-Language, else Chinese."""
    for asked in (request.query_params.get("lang"), request.cookies.get(COOKIE)):
        if asked in TAGS:
            return cast(Language, asked)
    return cast(Language, language_of(request))


class Texts:
    """Every translation of this process."""

    def __init__(self, files: Iterable[Path]) -> None:
        self._by: dict[str, Any] = {"en": NullTranslations(), "zh": _merged(files)}

    def gettext(self, text: str) -> str:
        """The text in the language being spoken."""
        return str(self._by[current()].gettext(text))

    def ngettext(self, one: str, many: str, count: int) -> str:
        """As :meth:`gettext`, by number."""
        return str(self._by[current()].ngettext(one, many, count))

    def pgettext(self, context: str, text: str) -> str:
        """As :meth:`gettext`, of an id that means several things."""
        return str(self._by[current()].pgettext(context, text))

    def npgettext(self, context: str, one: str, many: str, count: int) -> str:
        """As :meth:`pgettext`, by number."""
        return str(self._by[current()].npgettext(context, one, many, count))


def _merged(files: Iterable[Path]) -> Translations:
    found = Translations()
    found._catalog = {}
    # Chinese has one form for all numbers.
    found.plural = lambda _n: 0
    for path in files:
        with path.open("rb") as file:
            for message in read_po(file, locale="zh_Hans_CN"):
                _enter(found._catalog, message)
    return found


def _enter(catalogue: dict[Any, str], message: Any) -> None:
    ids = message.id if isinstance(message.id, tuple) else (message.id,)
    texts = message.string if isinstance(message.string, tuple) else (message.string,)
    if not ids[0] or not texts[0]:
        return
    key = f"{message.context}\x04{ids[0]}" if message.context else ids[0]
    if len(ids) > 1:
        catalogue[key, 0] = texts[0]
    catalogue[key] = texts[0]
