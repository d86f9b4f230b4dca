# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every address and what its callers must be allowed to do: the table behind the documents.

Services ask for the permission; a test asks every address with and without it, so that this table
can't say something else than they do. A new address without a row fails that test.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from central.identity.permissions import Permission as May


class Door(StrEnum):
    """Doors that ask for no permission."""

    OPEN = "open"
    """Needs no session: signing in, citizens, devices with their own secret."""
    SIGNED_IN = "signed_in"
    """Needs a session; what it shows belongs to every role, or is checked row by row."""


ROUTES: Final[Mapping[tuple[str, str], May | Door]] = MappingProxyType(
    {
        ("GET", "/console"): Door.SIGNED_IN,
        ("GET", "/console/"): Door.SIGNED_IN,
        ("GET", "/console/account"): Door.SIGNED_IN,
        ("GET", "/console/account/password"): Door.SIGNED_IN,
        ("POST", "/console/account/password"): Door.SIGNED_IN,
        ("POST", "/console/account/sessions/end-others"): Door.SIGNED_IN,
        ("POST", "/console/account/sessions/{session_id}/end"): Door.SIGNED_IN,
        ("GET", "/console/alerts"): May.SEE_ALERTS,
        ("GET", "/console/alerts/stream"): May.SEE_ALERTS,
        ("GET", "/console/alerts/{alert_id}"): May.SEE_ALERTS,
        ("POST", "/console/alerts/{alert_id}/acknowledge"): May.HANDLE_ALERTS,
        ("POST", "/console/alerts/{alert_id}/close"): May.HANDLE_ALERTS,
        ("GET", "/console/audit"): May.SEE_AUDIT,
        ("POST", "/console/audit/find"): May.SEE_AUDIT,
        ("GET", "/console/audit/roots"): May.SEE_AUDIT,
        ("GET", "/console/audit/roots/file"): May.SEE_AUDIT,
        ("GET", "/console/cameras"): May.SEE_DEVICES,
        ("GET", "/console/cameras/{device_id}"): May.SEE_DEVICES,
        ("GET", "/console/cameras/{device_id}/frames"): May.SEE_LIVE_FRAMES,
        ("POST", "/console/cameras/{device_id}/frames"): May.SEE_LIVE_FRAMES,
        ("GET", "/console/cameras/{device_id}/frames/{frame_id}"): May.SEE_LIVE_FRAMES,
        ("GET", "/console/cameras/{device_id}/frames/{frame_id}/picture"): May.SEE_LIVE_FRAMES,
        ("GET", "/console/completeness"): May.SEE_DEVICES,
        ("GET", "/console/completeness/{device_id}"): May.SEE_DEVICES,
        ("GET", "/console/components"): May.SEE_COMPONENTS,
        ("GET", "/console/dossiers"): May.SEE_DOSSIERS,
        ("POST", "/console/dossiers/find"): May.SEE_DOSSIERS,
        ("GET", "/console/dossiers/new"): May.TAKE_IN_DOSSIERS,
        ("POST", "/console/dossiers/new"): May.TAKE_IN_DOSSIERS,
        ("GET", "/console/dossiers/new/findings"): May.TAKE_IN_DOSSIERS,
        ("GET", "/console/dossiers/{code}"): May.SEE_DOSSIERS,
        ("GET", "/console/dossiers/{code}/papers"): May.SEE_DOSSIERS,
        ("GET", "/console/dossiers/{code}/papers/{kind}.pdf"): May.SEE_DOSSIERS,
        ("POST", "/console/dossiers/{code}/{action}"): May.SEE_DOSSIERS,
        ("POST", "/console/find"): Door.SIGNED_IN,
        ("GET", "/console/login"): Door.OPEN,
        ("POST", "/console/login"): Door.OPEN,
        ("POST", "/console/logout"): Door.OPEN,
        ("GET", "/console/map"): May.SEE_PASSAGES,
        ("GET", "/console/map/sites"): May.SEE_PASSAGES,
        ("GET", "/console/overview"): May.SEE_PASSAGES,
        ("GET", "/console/overview/charts"): May.SEE_PASSAGES,
        ("GET", "/console/overview/charts/{key}"): May.SEE_PASSAGES,
        ("GET", "/console/overview/strip"): May.SEE_PASSAGES,
        ("GET", "/console/passages"): May.SEE_PASSAGES,
        ("GET", "/console/passages/export"): May.LOOK_UP_VEHICLES,
        ("POST", "/console/passages/export"): May.LOOK_UP_VEHICLES,
        ("POST", "/console/passages/search"): May.SEE_PASSAGES,
        ("GET", "/console/passages/stream"): May.SEE_PASSAGES,
        ("GET", "/console/passages/{passage_id}"): May.SEE_PASSAGES,
        ("GET", "/console/passages/{passage_id}/similar"): May.LOOK_UP_VEHICLES,
        ("POST", "/console/passages/{passage_id}/similar"): May.LOOK_UP_VEHICLES,
        ("GET", "/console/pictures/{sha256}"): May.SEE_PASSAGES,
        ("POST", "/console/preferences"): Door.OPEN,
        ("GET", "/console/quarantine"): May.HANDLE_QUARANTINE,
        ("GET", "/console/quarantine/{message_id}"): May.HANDLE_QUARANTINE,
        ("POST", "/console/quarantine/{message_id}/drop"): May.HANDLE_QUARANTINE,
        ("POST", "/console/quarantine/{message_id}/look"): May.HANDLE_QUARANTINE,
        ("POST", "/console/quarantine/{message_id}/retry"): May.HANDLE_QUARANTINE,
        ("GET", "/console/tolls"): May.SEE_TOLLS,
        ("GET", "/console/tolls/days"): May.SEE_TOLLS,
        ("POST", "/console/tolls/days"): May.CLOSE_TOLL_DAYS,
        ("GET", "/console/tolls/days/{day_id}"): May.SEE_TOLLS,
        ("POST", "/console/tolls/days/{day_id}/file"): May.CLOSE_TOLL_DAYS,
        ("GET", "/console/tolls/numbers"): May.SEE_TOLLS,
        ("GET", "/console/tolls/review"): May.REVIEW_TOLLS,
        ("GET", "/console/tolls/{crossing_id}"): May.SEE_TOLLS,
        ("POST", "/console/tolls/{crossing_id}/decide"): May.REVIEW_TOLLS,
        ("POST", "/console/tolls/{crossing_id}/refund"): May.CLOSE_TOLL_DAYS,
        ("GET", "/console/users"): May.MANAGE_USERS,
        ("POST", "/console/users"): May.MANAGE_USERS,
        ("POST", "/console/users/search"): May.MANAGE_USERS,
        ("GET", "/console/users/{user_id}"): May.MANAGE_USERS,
        ("POST", "/console/users/{user_id}/place"): May.MANAGE_USERS,
        ("POST", "/console/users/{user_id}/reset-password"): May.MANAGE_USERS,
        ("POST", "/console/users/{user_id}/role"): May.MANAGE_USERS,
        ("POST", "/console/users/{user_id}/switch"): May.MANAGE_USERS,
        ("GET", "/console/vehicles"): May.LOOK_UP_VEHICLES,
        ("POST", "/console/vehicles/search"): May.LOOK_UP_VEHICLES,
        ("GET", "/console/vehicles/{vehicle_id}"): May.LOOK_UP_VEHICLES,
        ("POST", "/console/vehicles/{vehicle_id}/look"): May.LOOK_UP_VEHICLES,
        ("GET", "/console/watchlist"): May.SEE_WATCHLIST,
        ("POST", "/console/watchlist"): May.EDIT_WATCHLIST,
        ("POST", "/console/watchlist/search"): Door.SIGNED_IN,
        ("POST", "/console/watchlist/{entry_id}/remove"): May.EDIT_WATCHLIST,
        ("GET", "/metrics"): Door.OPEN,
        ("GET", "/public"): Door.OPEN,
        ("GET", "/public/"): Door.OPEN,
        ("GET", "/public/dossiers"): Door.OPEN,
        ("POST", "/public/dossiers"): Door.OPEN,
        ("GET", "/public/dossiers/{code}"): Door.OPEN,
        ("POST", "/v1/enrolment"): Door.OPEN,
        ("POST", "/v1/enrolment/renewal"): Door.OPEN,
        ("GET", "/v1/evidence/{sha256}"): May.SEE_PASSAGES,
        ("PUT", "/v1/evidence/{sha256}"): Door.OPEN,
        ("GET", "/v1/health"): Door.OPEN,
        ("POST", "/v1/licences/check"): May.CHECK_PAPERS,
        ("PUT", "/v1/live-frames/{frame_id}"): Door.OPEN,
        ("GET", "/v1/openapi.json"): Door.SIGNED_IN,
        ("POST", "/v1/passages/search"): May.SEE_PASSAGES,
        ("GET", "/v1/passages/{passage_id}"): May.SEE_PASSAGES,
        ("POST", "/v1/permits/check"): May.CHECK_PAPERS,
        ("DELETE", "/v1/session"): Door.OPEN,
        ("POST", "/v1/session"): Door.OPEN,
        ("POST", "/v1/vehicles/lookup"): May.LOOK_UP_VEHICLES,
    }
)
"""By method and declared address without converters."""
