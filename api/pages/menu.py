# SPDX-License-Identifier: AGPL-3.0-or-later
"""The menu as templates draw it; which pages stand in it is the business of the pages' owner."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from central.identity.permissions import Permission

Translate = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuLink:
    """One page of the menu, in one language."""

    path: str
    text: str
    icon: str
    is_current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuGroup:
    """Pages that belong together; never empty."""

    key: str
    text: str
    links: tuple[MenuLink, ...]

    @property
    def is_current(self) -> bool:
        """Whether the page on show is one of the group's."""
        return any(link.is_current for link in self.links)


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu:
    """What one person may open.

    Attributes:
        groups: Shown in the bar, in order.
        own: Pages about the person themselves, reached by their name.
    """

    groups: tuple[MenuGroup, ...] = ()
    own: tuple[MenuLink, ...] = ()


MenuOf = Callable[[Collection[Permission], str, Translate], Menu]
"""Makes the menu from what somebody may do, the address on show, and a translating function."""


def no_menu(_permissions: Collection[Permission], _path: str, _translate: Translate) -> Menu:
    """The menu of pages that have none."""
    return Menu()
