# SPDX-License-Identifier: AGPL-3.0-or-later
"""Turns values into pages: one template environment per language, everything escaped."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from api.pages.assets import Assets
from api.pages.i18n import LANGUAGE_NAMES, Language, Speech
from api.pages.menu import Menu, MenuOf, no_menu
from api.security.cookies import cookie, set_cookie
from central.identity.permissions import PERMISSIONS, Permission
from central.identity.types import User

LANGUAGE_COOKIE: Final = "luuthong_language"
THEME_COOKIE: Final = "luuthong_theme"
PREFERENCE_AGE_S: Final = 365 * 86_400
CONSOLE_PATH: Final = "/console"
HOME: Final = CONSOLE_PATH
"""Leads everybody to the first page that they may open."""

WordsOf = Callable[[Callable[[str], str]], Mapping[str, Mapping[str, str]]]


class Theme(StrEnum):
    """Colours of the pages; ``AUTO`` follows the computer's."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


NEXT_THEME: Final = {Theme.AUTO: Theme.LIGHT, Theme.LIGHT: Theme.DARK, Theme.DARK: Theme.AUTO}


@dataclass(frozen=True, slots=True, kw_only=True)
class PageView:
    """What the frame around every page shows.

    Attributes:
        here: Address to come back to.
        menu: Pages that the reader may open; empty when nobody is signed in.
    """

    language: Language
    theme: Theme
    here: str
    display_name: str | None
    permissions: frozenset[Permission]
    menu: Menu

    @property
    def other_language(self) -> Language:
        """The language to switch to."""
        return Language.EN if self.language is Language.VI else Language.VI

    @property
    def other_language_name(self) -> str:
        """Its own name for itself."""
        return LANGUAGE_NAMES[self.other_language]

    @property
    def next_theme(self) -> Theme:
        """The colours to switch to."""
        return NEXT_THEME[self.theme]


class Renderer:
    """Makes HTML from templates in every language.

    Args:
        folder: Templates.
        assets: Built files.
        speeches: Languages.
        words_of: Labels by group and code for templates, from a translating function.
        menu_of: Makes the menu of somebody who is signed in.
    """

    def __init__(
        self,
        *,
        folder: Path,
        assets: Assets,
        speeches: Mapping[Language, Speech],
        words_of: WordsOf,
        menu_of: MenuOf = no_menu,
    ) -> None:
        self.speeches = speeches
        self._menu_of = menu_of
        self._environments = {
            language: _environment(folder, assets, speech, words_of)
            for language, speech in speeches.items()
        }

    def html(self, template: str, *, language: Language, **values: object) -> str:
        """A piece of a page."""
        return self._environments[language].get_template(template).render(**values)

    def piece(
        self, request: Request, template: str, *, status: int = 200, **values: object
    ) -> HTMLResponse:
        """A piece of a page as an answer, in the caller's language."""
        return HTMLResponse(
            self.html(template, language=language_of(request), **values), status_code=status
        )

    def page(
        self,
        request: Request,
        template: str,
        *,
        user: User | None = None,
        status: int = 200,
        **values: object,
    ) -> HTMLResponse:
        """A whole page as an answer, in the caller's language and colours."""
        language = language_of(request)
        view = self._view(request, user, language)
        response = HTMLResponse(
            self.html(template, language=language, page=view, **values), status_code=status
        )
        response.headers["Vary"] = "HX-Request"
        if "lang" in request.query_params:
            set_preference(request, response, LANGUAGE_COOKIE, language)
        return response

    def _view(self, request: Request, user: User | None, language: Language) -> PageView:
        """What the frame around a page shows to its reader."""
        permissions = PERMISSIONS[user.role] if user is not None else frozenset[Permission]()
        text = self.speeches[language].text
        return PageView(
            language=language,
            theme=theme_of(request),
            here=here_of(request),
            display_name=user.display_name if user is not None else None,
            permissions=permissions,
            menu=Menu() if user is None else self._menu_of(permissions, request.url.path, text),
        )


def language_of(request: Request) -> Language:
    """Language by ``?lang=``, then by cookie; Vietnamese otherwise."""
    for wish in (request.query_params.get("lang"), cookie(request, LANGUAGE_COOKIE)):
        if wish in set(Language):
            return Language(wish)
    return Language.VI


def theme_of(request: Request) -> Theme:
    """Colours by cookie; those of the computer otherwise."""
    wish = cookie(request, THEME_COOKIE)
    return Theme(wish) if wish in set(Theme) else Theme.AUTO


def here_of(request: Request) -> str:
    """This page's own address, to come back to; the list for what can't be opened again."""
    if request.method != "GET":
        return HOME
    url = request.url.remove_query_params("lang")
    return f"{url.path}?{url.query}" if url.query else url.path


def safe_next(text: str) -> str:
    """Where to go next, if it is a page of this console; the list otherwise."""
    is_ours = text.startswith("/console/") and not set(text) & set("\\\r\n\t")
    return text if is_ours and "//" not in text else HOME


def set_preference(request: Request, response: Response, name: str, value: str) -> None:
    """Remember a choice in the browser."""
    set_cookie(request, response, name, value, max_age_s=PREFERENCE_AGE_S)


def _environment(folder: Path, assets: Assets, speech: Speech, words_of: WordsOf) -> Environment:
    """Templates of one language."""
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Jinja adds these methods at run time, so type checkers don't know them.
    environment.install_gettext_translations(speech.texts, newstyle=True)  # type: ignore[attr-defined]
    environment.globals.update(words_of(speech.text))
    environment.globals["asset"] = assets.url
    return environment
