# SPDX-License-Identifier: AGPL-3.0-or-later
"""What part of the province a caller may see; every read of personal data takes one."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Reach(StrEnum):
    """How far somebody sees.

    ``AREAS`` are those of the person and of the person's unit together; without any, nothing.
    """

    PROVINCE = "province"
    AREAS = "areas"


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteScope:
    """Sites that a caller may see.

    Attributes:
        site_ids: The sites; ``None`` means every site, the empty set means none.
    """

    site_ids: frozenset[str] | None

    @classmethod
    def everything(cls) -> Self:
        """The scope of somebody who may see every site."""
        return cls(site_ids=None)

    def allows(self, site_id: str) -> bool:
        """Whether a site lies in this scope."""
        return self.site_ids is None or site_id in self.site_ids

    def covers(self, site_ids: frozenset[str] | None) -> bool:
        """Whether sites all lie in this scope; ``None`` stands for the whole province."""
        if self.site_ids is None or site_ids is None:
            return self.site_ids is None
        return site_ids <= self.site_ids

    def narrowed_to(self, site_id: str) -> Self:
        """One site of this scope; nothing when it lies outside."""
        return type(self)(site_ids=frozenset({site_id} if self.allows(site_id) else ()))

    def as_list(self) -> list[str] | None:
        """For binding to a query: the sites in order, or ``None`` for every site."""
        return None if self.site_ids is None else sorted(self.site_ids)
