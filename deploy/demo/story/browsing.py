# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reads pages and posts their forms as a browser without JavaScript does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import TracebackType
from typing import Final, Self
from urllib.parse import urljoin, urlsplit

import httpx

from deploy.errors import LocalStackError

TIMEOUT_S: Final = 30.0
OK: Final = 200
_VOID: Final = frozenset({"input", "img", "br", "hr", "meta", "link", "use", "path"})
_UNSEEN: Final = frozenset({"script", "style", "title", "template"})

Filled = Mapping[str, str | Sequence[str]]


class PageError(LocalStackError):
    """A page is not what the story needs."""


@dataclass(slots=True, kw_only=True)
class HtmlForm:
    """A form as it stands on a page.

    Attributes:
        values: What it would send untouched, by name.
        names: Names of all its fields, also of those that send nothing untouched.
        choices: Values that a field offers, by name.
    """

    action: str
    method: str
    values: dict[str, list[str]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    choices: dict[str, list[str]] = field(default_factory=dict)


class _Reader(HTMLParser):
    """Collects forms, links and the words of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[HtmlForm] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self._form: HtmlForm | None = None
        self._select: str = ""
        self._has_choice = False
        self._area: str = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        if tag not in _VOID:
            self._open.append(tag)
        match tag:
            case "a":
                self.links.append(named.get("href", ""))
            case "form":
                self._form = HtmlForm(
                    action=named.get("action", ""), method=named.get("method", "get").lower()
                )
                self.forms.append(self._form)
            case "input" | "select" | "textarea" | "option":
                self._field(tag, named)
            case _:
                pass

    def _field(self, tag: str, named: dict[str, str]) -> None:
        if self._form is None:
            return
        name = named.get("name", "")
        if tag == "option":
            self._option(named)
            return
        if not name or "disabled" in named:
            return
        self._form.names.add(name)
        if tag == "select":
            self._select, self._has_choice = name, False
        elif tag == "textarea":
            self._area = name
            self._form.values.setdefault(name, [""])
        elif named.get("type") in {"checkbox", "radio"}:
            self._form.choices.setdefault(name, []).append(named.get("value", "on"))
            if "checked" in named:
                self._form.values.setdefault(name, []).append(named.get("value", "on"))
        elif named.get("type") not in {"submit", "button", "file"}:
            self._form.values.setdefault(name, []).append(named.get("value", ""))

    def _option(self, named: dict[str, str]) -> None:
        if self._form is None or not self._select:
            return
        value = named.get("value", "")
        self._form.choices.setdefault(self._select, []).append(value)
        if "selected" in named or not self._has_choice:
            self._form.values[self._select] = [value]
            self._has_choice = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        if tag == "select":
            self._select = ""
        if tag == "textarea":
            self._area = ""
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._area and self._form is not None:
            self._form.values[self._area] = [data]
        if data.strip() and not _UNSEEN & set(self._open):
            self.words.append(" ".join(data.split()))


@dataclass(frozen=True, slots=True, kw_only=True)
class HtmlPage:
    """A page that was answered.

    Attributes:
        url: Its full address, after redirections.
        text: Its words, without markup.
    """

    url: str
    status: int
    html: str
    text: str
    forms: tuple[HtmlForm, ...]
    links: tuple[str, ...]

    @property
    def path(self) -> str:
        """Its address without the host."""
        return urlsplit(self.url).path

    def form(self, *, to: str) -> HtmlForm:
        """The form whose address ends so.

        Raises:
            PageError: There is none.
        """
        for form in self.forms:
            if urlsplit(form.action).path.endswith(to):
                return form
        raise PageError(f"{self.url} has no form to …{to}; its answer was {self.status}")

    def value_of(self, name: str) -> str:
        """What a hidden or filled field of any form holds.

        Raises:
            PageError: No form has it.
        """
        for form in self.forms:
            if form.values.get(name):
                return form.values[name][0]
        raise PageError(f"{self.url} has no field {name}")

    def has_form(self, *, to: str) -> bool:
        """Whether there is such a form."""
        return any(urlsplit(form.action).path.endswith(to) for form in self.forms)

    def link(self, part: str) -> str:
        """The first link that contains something.

        Raises:
            PageError: There is none.
        """
        for link in self.links:
            if part in link:
                return link
        raise PageError(f"{self.url} has no link with {part}")


class PageReader:
    """One visitor with a cookie jar."""

    def __init__(self, root: str) -> None:
        """Begin without being signed in.

        Args:
            root: Address of the api, without a path.
        """
        self._client = httpx.Client(
            base_url=root,
            follow_redirects=True,
            timeout=TIMEOUT_S,
            headers={"Accept": "text/html,application/xhtml+xml"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Forget the visit."""
        self._client.close()

    @property
    def cookies(self) -> httpx.Cookies:
        """What the visitor would show."""
        return self._client.cookies

    def sign_in(self, username: str, password: str) -> None:
        """Sign in by the form.

        Raises:
            PageError: It was refused.
        """
        page = self.open("/console/login")
        done = self.submit(
            page, page.form(to="/login"), {"username": username, "password": password}
        )
        if done.status != OK or done.path.endswith("/login"):
            raise PageError(f"{username} can't sign in: {done.status}")

    def open(self, address: str) -> HtmlPage:
        """Follow an address."""
        return _page(self._client.get(address))

    def get_file(self, address: str) -> bytes:
        """Download something.

        Raises:
            PageError: It is not there.
        """
        answer = self._client.get(address)
        if answer.status_code != OK:
            raise PageError(f"{address} answered {answer.status_code}")
        return answer.content

    def submit(self, page: HtmlPage, form: HtmlForm, filled: Filled) -> HtmlPage:
        """Fill a form in and send it.

        Raises:
            PageError: The form has no such field.
        """
        unknown = set(filled) - form.names
        if unknown:
            raise PageError(f"{page.url} has no field {', '.join(sorted(unknown))}")
        values: dict[str, str | Sequence[str]] = {
            name: list(each) for name, each in form.values.items()
        }
        values |= filled
        address = urljoin(page.url, form.action or page.url)
        if form.method == "get":
            return _page(self._client.get(address, params=httpx.QueryParams(values)))
        return self.send(address, values)

    def send(self, address: str, values: Filled) -> HtmlPage:
        """Send a form's values to an address, also where no page offers the form."""
        return _page(self._client.post(address, data=dict(values)))

    def post_json(self, address: str, body: object) -> httpx.Response:
        """Ask a machine's question with the visitor's session."""
        return self._client.post(address, json=body, headers={"Accept": "application/json"})


def page_of(url: str, status: int, html: str) -> HtmlPage:
    """Read a page's forms, links and words."""
    reader = _Reader()
    reader.feed(html)
    return HtmlPage(
        url=url,
        status=status,
        html=html,
        text=" ".join(reader.words),
        forms=tuple(reader.forms),
        links=tuple(reader.links),
    )


def _page(answer: httpx.Response) -> HtmlPage:
    return page_of(str(answer.url), answer.status_code, answer.text)
