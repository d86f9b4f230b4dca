# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the pages of users show."""

from dataclasses import dataclass
from typing import Final

from api.pages.i18n import Speech
from central.identity.types import UserOverview

USERS_PATH: Final = "/console/users"
RULES_PATH: Final = f"{USERS_PATH}/second-factors"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRow:
    """A user in the list and on the own page."""

    id: int
    username: str
    display_name: str
    role: str
    state: str
    unit_id: str
    reach: str
    area_ids: tuple[str, ...]
    last_login: str


def user_row(user: UserOverview, speech: Speech) -> UserRow:
    """A user in a person's language."""
    at = user.last_login_at
    return UserRow(
        id=user.id,
        username=user.username,
        display_name=user.display_name,
        role=user.role.value,
        state=user.state.value,
        unit_id=user.unit_id or "",
        reach=user.reach.value,
        area_ids=user.area_ids,
        last_login="-" if at is None else f"{speech.time(at)} {speech.local_date(at)}",
    )
