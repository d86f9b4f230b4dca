# SPDX-License-Identifier: AGPL-3.0-or-later
"""The menu shows to everybody what they may open, and marks where they are."""

import pytest

from api.console.navigation import ENTRIES, GROUP_TEXTS, Group, current_entry, menu_for
from api.pages.assets import STATIC_FOLDER
from api.pages.menu import MenuLink
from central.identity.permissions import PERMISSIONS, Permission, Role

ICONS = STATIC_FOLDER.parent / "src" / "icons"


def links_of(role: Role, path: str = "/console/passages") -> dict[str, MenuLink]:
    menu = menu_for(PERMISSIONS[role], path, str)
    return {link.path: link for group in menu.groups for link in group.links} | {
        link.path: link for link in menu.own
    }


@pytest.mark.parametrize("role", list(Role))
def test_the_menu_of_a_role_holds_exactly_the_pages_it_may_open(role: Role) -> None:
    allowed = {
        entry.path
        for entry in ENTRIES
        if entry.permission is None or entry.permission in PERMISSIONS[role]
    }

    assert set(links_of(role)) == allowed


def test_groups_stand_in_their_order_and_none_is_empty() -> None:
    menu = menu_for(frozenset(Permission), "/console/passages", str)

    assert [group.key for group in menu.groups] == list(GROUP_TEXTS)
    assert set(GROUP_TEXTS) | {Group.OWN} == set(Group)
    assert all(group.links for group in menu_for({Permission.SEE_TOLLS}, "/", str).groups)


@pytest.mark.parametrize(
    ("address", "entry"),
    [
        ("/console/tolls", "/console/tolls"),
        ("/console/tolls/0193", "/console/tolls"),
        ("/console/tolls/days/km12", "/console/tolls/days"),
        ("/console/tollsome", None),
        ("/console/nowhere", None),
    ],
)
def test_the_page_on_show_belongs_to_the_entry_with_the_longest_address(
    address: str, entry: str | None
) -> None:
    current = current_entry(address)

    assert (current.path if current else None) == entry
    marked = [
        link.path for link in links_of(Role.DEMONSTRATOR, address).values() if link.is_current
    ]
    assert marked == ([entry] if entry else [])


def test_every_entry_is_there_once_and_has_a_drawn_icon() -> None:
    paths = [entry.path for entry in ENTRIES]

    assert len(paths) == len(set(paths))
    assert {entry.icon for entry in ENTRIES} <= {path.stem for path in ICONS.glob("*.svg")}
