# SPDX-License-Identifier: AGPL-3.0-or-later
"""The forms of a page as a browser would send them, and what was put into the page by force."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx

from tests.integration.api.test_route_permissions import ASKED

TYPED: Final = frozenset({"text", "search", "email", "tel", "url", "password"})
"""Kinds of input that take any letter."""

PLAUSIBLE: Final = {"number": "1", "date": "2026-11-20", "time": "08:00"}
"""What is typed into a required field of such a kind."""

WORD: Final = "thử"
"""What is typed into any other field."""

VARIANTS_MAX: Final = 6

FITTING: Final = {
    "name": "tram-thu",
    "plate": "20C12345",
    "username": "nguoi-moi",
    "contact_phone": "0208 3000000",
    "contact_email": "",
    "applicant_number": "",
    "field_badge_kind": "goods",
    "field_years": "3",
    "paper_request_form": "original",
    "paper_registration_certificate": "copy",
}
"""What is typed into fields of such a name."""


@dataclass(kw_only=True)
class Form:
    """One form, filled in as it came.

    Attributes:
        texts: Names of fields that take any letter.
    """

    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    has_file: bool = False

    @property
    def kind(self) -> tuple[str, frozenset[str]]:
        """What tells this form from the others of its page, whatever row it belongs to."""
        parts = self.action.split("?")[0].split("/")
        return parts[-1], frozenset(self.values)

    def send(self, client: httpx.Client, more: dict[str, str]) -> httpx.Response:
        """Send the form with some fields besides or instead, and follow where it leads."""
        values = self._known() | self.values | more
        if self.method == "get":
            return client.get(self.action, params=values, follow_redirects=True)
        files = {"file": ("a.csv", b"")} if self.has_file else None
        return client.post(self.action, data=values, files=files, follow_redirects=True)

    def _known(self) -> dict[str, str]:
        """Values that another test knows to fit this address."""
        for (method, path), (_, known) in ASKED.items():
            pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))
            if method == self.method.upper() and re.fullmatch(pattern, self.action):
                return {key: str(value) for key, value in known.items()}
        return {}


def forms_of(html: str, address: str) -> list[Form]:
    """Every form of a page, with its fields filled as they are or plausibly."""
    reader = _FormReader(address)
    reader.feed(html)
    return reader.forms


def variants_of(html: str, address: str) -> list[str]:
    """Addresses that a page leads to which are the same page with other parameters."""
    reader = _LinkReader()
    reader.feed(html)
    own = urlsplit(address)
    found: dict[frozenset[str], str] = {}
    for target in (urljoin(address, each) for each in reader.found):
        parts = urlsplit(target)
        names = frozenset(parse_qs(parts.query))
        if (parts.netloc, parts.path) == (own.netloc, own.path) and names:
            found.setdefault(names, target)
    return list(found.values())[:VARIANTS_MAX]


def scripts_put_in(html: str) -> list[str]:
    """Elements that run something by an attribute; our own pages have none."""
    reader = _HandlerReader()
    reader.feed(html)
    return reader.found


class _FormReader(HTMLParser):
    """Collects forms; fields outside of a form belong to none."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._address = address
        self._form: Form | None = None
        self._select = ""
        self._textarea = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a form or note a field of the present one."""
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = Form(
                action=given.get("action") or self._address, method=given.get("method", "get")
            )
            self.forms.append(self._form)
        elif self._form is None:
            return
        elif tag == "select":
            self._select = given.get("name", "")
        elif tag == "option" and self._select:
            is_first = not self._form.values.get(self._select)
            if "selected" in given or is_first:
                chosen = FITTING.get(self._select, given.get("value", ""))
                self._form.values[self._select] = chosen
        elif tag == "textarea":
            self._textarea = given.get("name", "")
            self._form.texts.append(self._textarea)
            self._form.values[self._textarea] = WORD
        elif tag in {"input", "button"} and given.get("name"):
            self._take(self._form, given)

    def handle_endtag(self, tag: str) -> None:
        """End a form or a field with an inside."""
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._textarea = ""

    @staticmethod
    def _take(form: Form, given: dict[str, str]) -> None:
        name, kind = given["name"], given.get("type", "text")
        if kind == "file":
            form.has_file = True
        elif kind in {"checkbox", "radio"}:
            if "checked" in given or name not in form.values:
                form.values[name] = given.get("value", "on")
        elif kind in TYPED:
            form.texts.append(name)
            form.values[name] = given.get("value") or FITTING.get(name, WORD)
        elif kind == "submit":
            form.values.setdefault(name, given.get("value", ""))
        else:
            missing = FITTING.get(name, PLAUSIBLE.get(kind, "") if "required" in given else "")
            form.values[name] = given.get("value") or missing


class _HandlerReader(HTMLParser):
    """Collects elements with an attribute that runs something."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at one element."""
        if any(name.startswith("on") for name, _ in attrs):
            self.found.append(self.get_starttag_text() or tag)


class _LinkReader(HTMLParser):
    """Collects where a page leads."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at one element."""
        self.found += [value for name, value in attrs if tag == "a" and name == "href" and value]
