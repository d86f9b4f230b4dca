# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every page that the menu leads to: one table, read by the layout, the palette and the tests.

A new page gets one line here. The same permission stands in the page's service, which is what
really stops people; the table only spares them links that lead nowhere.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from api.console.wording import Translate
from api.pages.menu import Menu, MenuGroup, MenuLink
from central.identity.permissions import Permission
from central.identity.permissions import Permission as May


class Group(StrEnum):
    """Parts of the console, in the menu's order; ``OWN`` is reached by the person's name."""

    ROADS = "roads"
    VEHICLES = "vehicles"
    TOLLS = "tolls"
    DOSSIERS = "dossiers"
    ADMINISTRATION = "administration"
    OWN = "own"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A page of the menu.

    Attributes:
        text: Its English name, which is the message id in the catalogues; marked by ``_``.
        permission: What its readers must be allowed to do; ``None`` for everybody signed in.
    """

    path: str
    group: Group
    icon: str
    permission: Permission | None
    text: str


def _(text: str) -> str:
    """Mark a text for the catalogues; it is translated when the menu is made."""
    return text


def _entry(path: str, group: Group, icon: str, permission: Permission | None, text: str) -> Entry:
    return Entry(path=path, group=group, icon=icon, permission=permission, text=text)


ENTRIES: Final = (
    _entry("/console/overview", Group.ROADS, "gauge", May.SEE_PASSAGES, _("Overview")),
    _entry("/console/alerts", Group.ROADS, "bell", May.SEE_ALERTS, _("Alerts")),
    _entry("/console/incidents", Group.ROADS, "warning", May.SEE_PASSAGES, _("Incidents")),
    _entry("/console/passages", Group.ROADS, "camera", May.SEE_PASSAGES, _("Passages")),
    _entry("/console/traffic", Group.ROADS, "chart", May.SEE_PASSAGES, _("Traffic")),
    _entry("/console/map", Group.ROADS, "map", May.SEE_PASSAGES, _("Map")),
    _entry("/console/cameras", Group.ROADS, "device", May.SEE_DEVICES, _("Cameras and devices")),
    _entry("/console/completeness", Group.ROADS, "rows", May.SEE_DEVICES, _("Completeness")),
    _entry("/console/captured", Group.ROADS, "sure", May.SEE_DEVICES, _("Captured = stored")),
    _entry("/console/quarantine", Group.ROADS, "inbox", May.HANDLE_QUARANTINE, _("Quarantine")),
    _entry("/console/national", Group.ROADS, "map", May.SEE_NATIONAL, _("Provinces")),
    _entry("/console/vehicles", Group.VEHICLES, "car", May.LOOK_UP_VEHICLES, _("Vehicles")),
    _entry("/console/watchlist", Group.VEHICLES, "eye", May.SEE_WATCHLIST, _("Watchlist")),
    _entry("/console/tolls", Group.TOLLS, "coins", May.SEE_TOLLS, _("Crossings")),
    _entry("/console/tolls/days", Group.TOLLS, "calendar", May.SEE_TOLLS, _("Toll days")),
    _entry("/console/dossiers", Group.DOSSIERS, "folder", May.SEE_DOSSIERS, _("Dossiers")),
    _entry("/console/users", Group.ADMINISTRATION, "users", May.MANAGE_USERS, _("Users")),
    _entry("/console/keys", Group.ADMINISTRATION, "key", May.MANAGE_KEYS, _("API keys")),
    _entry(
        "/console/webhooks",
        Group.ADMINISTRATION,
        "send",
        May.MANAGE_WEBHOOKS,
        _("Webhooks"),
    ),
    _entry(
        "/console/protection",
        Group.ADMINISTRATION,
        "shield",
        May.PROTECT_DATA,
        _("Data protection"),
    ),
    _entry("/console/audit", Group.ADMINISTRATION, "list", May.SEE_AUDIT, _("Audit log")),
    _entry(
        "/console/components",
        Group.ADMINISTRATION,
        "parts",
        May.SEE_COMPONENTS,
        _("Components"),
    ),
    _entry("/console/account", Group.OWN, "user", None, _("My account")),
)
"""Order within a group is the order on the screen."""

GROUP_TEXTS: Final = {
    Group.ROADS: _("Roads"),
    Group.VEHICLES: _("Vehicles"),
    Group.TOLLS: _("Toll"),
    Group.DOSSIERS: _("Dossiers"),
    Group.ADMINISTRATION: _("Administration"),
}


def entries_for(permissions: Collection[Permission]) -> tuple[Entry, ...]:
    """Pages that somebody may open, in the table's order."""
    return tuple(
        entry for entry in ENTRIES if entry.permission is None or entry.permission in permissions
    )


def menu_for(permissions: Collection[Permission], path: str, translate: Translate) -> Menu:
    """The menu of somebody who looks at an address, in one language."""
    allowed = entries_for(permissions)
    current = current_entry(path)
    groups = (
        MenuGroup(key=group, text=translate(text), links=links)
        for group, text in GROUP_TEXTS.items()
        if (links := _links(allowed, group, current, translate))
    )
    return Menu(groups=tuple(groups), own=_links(allowed, Group.OWN, current, translate))


def current_entry(path: str) -> Entry | None:
    """The page of the menu to which an address belongs: the one with the longest address."""
    holding = [
        entry for entry in ENTRIES if path == entry.path or path.startswith(f"{entry.path}/")
    ]
    return max(holding, key=lambda entry: len(entry.path), default=None)


def _links(
    allowed: Iterable[Entry], group: Group, current: Entry | None, translate: Translate
) -> tuple[MenuLink, ...]:
    return tuple(
        MenuLink(
            path=entry.path,
            text=translate(entry.text),
            icon=entry.icon,
            is_current=entry is current,
        )
        for entry in allowed
        if entry.group is group
    )
