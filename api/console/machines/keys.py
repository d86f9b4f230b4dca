# SPDX-License-Identifier: AGPL-3.0-or-later
"""The page of programs and their keys: let one in, renew its key, revoke a key."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from psycopg import AsyncConnection
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import RedirectResponse, Response

from api.console.parts import Console, ConsoleParts
from api.deps.acting import Acting, ActingDep
from api.deps.request import Connection, Now
from api.pages.i18n import Speech
from api.pages.rendering import language_of
from central.identity.permissions import Permission
from central.identity.types import User
from central.machines.errors import (
    ClientExistsError,
    ClientInvalidError,
    KeyBeyondMakerError,
)
from central.machines.service import KeyAdministration
from central.machines.types import (
    GRANTABLE,
    LIFETIME_DEFAULT,
    OVERLAP_DEFAULT,
    SITES_MAX,
    ClientOverview,
    KeyOverview,
    KeyState,
    MadeKey,
    NewClient,
)
from central.sites.service import SiteService

LIST_PATH: Final = "/console/keys"
PAGE_SIZE: Final = 25
TEXT_MAX: Final = 200
DAYS_MAX: Final = 10_000

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Field(max_length=TEXT_MAX)]
Days = Annotated[int, Field(ge=0, le=DAYS_MAX)]


class ClientForm(BaseModel):
    """A new program as it was filled in."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    name: Text = ""
    purpose: Text = ""
    permissions: Annotated[list[Permission], Field(max_length=len(Permission))] = []
    sites: Annotated[list[Text], Field(max_length=SITES_MAX)] = []
    days: Days = LIFETIME_DEFAULT.days

    def client(self) -> NewClient:
        """The same as the service wants it; no site chosen means the whole province."""
        return NewClient(
            name=self.name,
            purpose=self.purpose,
            permissions=frozenset(self.permissions),
            site_ids=frozenset(self.sites) or None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyView:
    """A key as a row."""

    prefix: str
    state: KeyState
    made_at: str
    made_by: str
    expires_at: str
    last_used: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientView:
    """A program with its keys; ``sites`` is empty for the whole province.

    Attributes:
        may_renew: Whether whoever looks may do all that its keys allow, where they allow it.
    """

    name: str
    purpose: str
    permissions: tuple[str, ...]
    sites: tuple[str, ...]
    may_renew: bool
    has_working: bool
    keys: tuple[KeyView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """What to show, beside the list."""

    status: int = 200
    after: str = ""
    form: ClientForm | None = None
    wrong_part: str = ""
    made: MadeKey | None = None


@router.get(LIST_PATH)
async def list_page(
    request: Request,
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    now: Now,
    after: Annotated[str, Query(pattern=r"^[a-z0-9-]{0,40}$")] = "",
) -> Response:
    """Programs by name."""
    return await _Maker(request, console, acting, connection, now).page(_Wish(after=after))


@router.post(LIST_PATH)
async def add(
    request: Request,
    filled: Annotated[ClientForm, Form()],
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    now: Now,
) -> Response:
    """Let a program in; the answer shows its key, this once."""
    maker = _Maker(request, console, acting, connection, now)
    try:
        made = await maker.keys.add(filled.client(), lifetime=timedelta(days=filled.days), now=now)
    except ClientInvalidError as error:
        return await maker.page(_Wish(status=422, form=filled, wrong_part=error.part))
    except KeyBeyondMakerError:
        return await maker.page(_Wish(status=422, form=filled, wrong_part="beyond"))
    except ClientExistsError:
        return await maker.page(_Wish(status=422, form=filled, wrong_part="taken"))
    return await maker.page(_Wish(made=made))


@router.post(f"{LIST_PATH}/{{name}}/rotate")
async def rotate(
    request: Request,
    name: str,
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    now: Now,
) -> Response:
    """Make a new key; the old ones go on working for the overlap."""
    maker = _Maker(request, console, acting, connection, now)
    made = await maker.keys.rotate(
        name, lifetime=LIFETIME_DEFAULT, overlap=OVERLAP_DEFAULT, now=now
    )
    return await maker.page(_Wish(made=made))


@router.post(f"{LIST_PATH}/{{prefix}}/revoke")
async def revoke(
    request: Request,
    prefix: str,
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    now: Now,
) -> Response:
    """End a key at once."""
    maker = _Maker(request, console, acting, connection, now)
    await maker.keys.revoke(prefix, now=now)
    return RedirectResponse(LIST_PATH, status_code=303)


class _Maker:
    """Makes the page for one request."""

    def __init__(
        self,
        request: Request,
        console: ConsoleParts,
        acting: Acting,
        connection: AsyncConnection,
        now: datetime,
    ) -> None:
        self.keys = KeyAdministration(connection, actor=acting.actor, user=acting.user)
        self._request = request
        self._console = console
        self._speech = console.renderer.speeches[language_of(request)]
        self._acting = acting
        self._sites = SiteService(connection)
        self._now = now

    async def page(self, wish: _Wish) -> Response:
        """The whole page."""
        found = await self.keys.clients(after=wish.after, size=PAGE_SIZE)
        sites = await self._sites.sites(self._acting.user.scope)
        names = {site.id: site.name for site in sites}
        following = found.next_after
        return self._console.renderer.page(
            self._request,
            "machines/keys.html",
            user=self._acting.user,
            status=wish.status,
            clients=tuple(
                _client_view(each, names, self._speech, user=self._acting.user, now=self._now)
                for each in found.clients
            ),
            form=wish.form or ClientForm(),
            wrong_part=wish.wrong_part,
            made=wish.made,
            made_until=(
                self._speech.local_date(wish.made.expires_at) if wish.made is not None else ""
            ),
            grantable=tuple(each.value for each in GRANTABLE if self._acting.user.may(each)),
            is_cut=not all(map(self._acting.user.may, GRANTABLE)),
            sites=sites,
            newest_url=LIST_PATH if wish.after else None,
            older_url=f"{LIST_PATH}?{urlencode({'after': following})}" if following else None,
        )


def _client_view(
    client: ClientOverview, names: dict[str, str], speech: Speech, *, user: User, now: datetime
) -> ClientView:
    """A program with its keys."""
    site_ids = None if client.site_ids is None else frozenset(client.site_ids)
    return ClientView(
        name=client.name,
        purpose=client.purpose,
        permissions=tuple(each.value for each in client.permissions),
        sites=tuple(names.get(each, each) for each in client.site_ids or ()),
        may_renew=all(map(user.may, client.permissions)) and user.scope.covers(site_ids),
        has_working=any(key.state_at(now) is KeyState.WORKING for key in client.keys),
        keys=tuple(_key_view(key, speech, now=now) for key in client.keys),
    )


def _key_view(key: KeyOverview, speech: Speech, *, now: datetime) -> KeyView:
    """A key as a row."""
    used = key.last_used_at
    return KeyView(
        prefix=key.prefix,
        state=key.state_at(now),
        made_at=speech.minute_and_date(key.made_at),
        made_by=key.made_by,
        expires_at=speech.minute_and_date(key.expires_at),
        last_used=speech.ago(now - used) if used is not None else None,
    )
