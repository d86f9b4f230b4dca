# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who may do what: one table, read by every service and printed by nobody else."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Role(StrEnum):
    """What somebody is employed for."""

    ADMINISTRATOR = "administrator"
    OPERATOR = "operator"
    REVIEWER = "reviewer"
    CLERK = "clerk"
    APPROVER = "approver"
    TOLL_OPERATOR = "toll_operator"
    TOLL_AUDITOR = "toll_auditor"
    DATA_PROTECTION_OFFICER = "data_protection_officer"
    API_CLIENT = "api_client"
    DEMONSTRATOR = "demonstrator"


class Permission(StrEnum):
    """An act that not everybody may do."""

    SEE_PASSAGES = "see_passages"
    SEE_ALERTS = "see_alerts"
    HANDLE_ALERTS = "handle_alerts"
    SEE_WATCHLIST = "see_watchlist"
    EDIT_WATCHLIST = "edit_watchlist"
    LOOK_UP_VEHICLES = "look_up_vehicles"
    CHECK_PAPERS = "check_papers"
    SEE_DOSSIERS = "see_dossiers"
    TAKE_IN_DOSSIERS = "take_in_dossiers"
    DECIDE_DOSSIERS = "decide_dossiers"
    SEE_TOLLS = "see_tolls"
    REVIEW_TOLLS = "review_tolls"
    CLOSE_TOLL_DAYS = "close_toll_days"
    SEE_AUDIT = "see_audit"
    PROTECT_DATA = "protect_data"
    SEE_DEVICES = "see_devices"
    HANDLE_QUARANTINE = "handle_quarantine"
    MANAGE_USERS = "manage_users"
    SEE_LIVE_FRAMES = "see_live_frames"
    SEE_COMPONENTS = "see_components"
    MANAGE_KEYS = "manage_keys"
    MANAGE_WEBHOOKS = "manage_webhooks"
    SEE_NATIONAL = "see_national"
    PUSH_NATIONAL = "push_national"


_EVERYBODY: Final = frozenset({Permission.SEE_PASSAGES})
_OPERATOR: Final = _EVERYBODY | {
    Permission.SEE_ALERTS,
    Permission.HANDLE_ALERTS,
    Permission.SEE_WATCHLIST,
    Permission.LOOK_UP_VEHICLES,
    Permission.CHECK_PAPERS,
    Permission.SEE_DEVICES,
    Permission.SEE_LIVE_FRAMES,
    Permission.SEE_NATIONAL,
}
_CLERK: Final = _EVERYBODY | {
    Permission.LOOK_UP_VEHICLES,
    Permission.CHECK_PAPERS,
    Permission.SEE_DOSSIERS,
    Permission.TAKE_IN_DOSSIERS,
}
_TOLL_OPERATOR: Final = _EVERYBODY | {
    Permission.LOOK_UP_VEHICLES,
    Permission.SEE_TOLLS,
    Permission.REVIEW_TOLLS,
    Permission.SEE_DEVICES,
}

_ADMINISTRATOR: Final = frozenset(
    {
        Permission.MANAGE_USERS,
        Permission.SEE_DEVICES,
        Permission.HANDLE_QUARANTINE,
        Permission.SEE_COMPONENTS,
        Permission.MANAGE_KEYS,
        Permission.MANAGE_WEBHOOKS,
        Permission.SEE_NATIONAL,
    }
)
"""Keeps the system running: needs no passage, no vehicle and no look at who looked at them."""

PERMISSIONS: Final[Mapping[Role, frozenset[Permission]]] = MappingProxyType(
    {
        Role.ADMINISTRATOR: _ADMINISTRATOR,
        Role.OPERATOR: _OPERATOR,
        Role.REVIEWER: _OPERATOR | {Permission.EDIT_WATCHLIST},
        Role.CLERK: _CLERK,
        Role.APPROVER: _CLERK | {Permission.DECIDE_DOSSIERS},
        Role.TOLL_OPERATOR: _TOLL_OPERATOR,
        Role.TOLL_AUDITOR: _TOLL_OPERATOR
        | {Permission.CLOSE_TOLL_DAYS, Permission.SEE_AUDIT, Permission.SEE_NATIONAL},
        Role.DATA_PROTECTION_OFFICER: _EVERYBODY
        | {Permission.LOOK_UP_VEHICLES, Permission.SEE_AUDIT, Permission.PROTECT_DATA},
        # The most that a key can hold; what a program may do of it is said by its key.
        Role.API_CLIENT: (_OPERATOR - {Permission.SEE_LIVE_FRAMES})
        | {
            Permission.EDIT_WATCHLIST,
            Permission.PUSH_NATIONAL,
            Permission.MANAGE_WEBHOOKS,
        },
        # Shows everything on made-up data: only a local stack makes one.
        Role.DEMONSTRATOR: frozenset(Permission),
    }
)

PEOPLES_ROLES: Final = tuple(
    role for role in Role if role not in {Role.API_CLIENT, Role.DEMONSTRATOR}
)
"""Roles that an administrator gives to people."""
