# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every address asks for its permission before it tells whether anything is there."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import httpx
import psycopg
import pytest

from api.access import ROUTES, Door
from central.identity.permissions import PERMISSIONS, Permission, Role
from tests.integration.api.test_session import OPEN_ROUTES, routes_of
from tests.integration.api.world import World

LOOK = {"purpose": "traffic_control"}
SHEET: dict[str, Any] = {"revised_at": "2026-11-28T01:02:03Z", "rows": []}
PLATE = {"plate": "20C-123.45", **LOOK}
REQUEST = "/console/protection/requests/{request_code}"
ANY_ID = "01930b1e-7c00-7000-8000-000000000001"
VALUES = {
    "user_id": "1",
    "day": "2026-11-27",
    "code": "H15-261123-0001",
    "sha256": "ab" * 32,
    "prefix": "0123456789ab",
    "action": "approve",
    "kind": "receipt",
    "message_id": "1",
    "finding_id": "1",
    "relative_id": "1",
    "name": "no_case",
    "province": "thai-nguyen",
    "hour": "2026-11-27T03:00:00Z",
    "request_code": "DL-2026-000001",
}

EVERYBODYS = {
    # What is here shows or keeps nothing of anybody.
    ("GET", "/v1/openapi.json"),
    # The own account.
    ("GET", "/console/account"),
    ("GET", "/console/account/outside"),
    ("POST", "/console/account/outside"),
    ("POST", "/console/account/outside/remove"),
    ("GET", "/console/account/password"),
    ("POST", "/console/account/password"),
    ("GET", "/console/account/second-factor"),
    ("POST", "/console/account/second-factor/begin"),
    ("POST", "/console/account/second-factor/confirm"),
    ("POST", "/console/account/second-factor/keys"),
    ("POST", "/console/account/second-factor/keys/begin"),
    ("POST", "/console/account/second-factor/keys/{key_id}/remove"),
    ("POST", "/console/account/second-factor/keys/{key_id}/rename"),
    ("POST", "/console/account/second-factor/recovery-codes"),
    ("POST", "/console/account/second-factor/remove"),
    ("POST", "/console/account/sessions/end-others"),
    ("POST", "/console/account/sessions/{session_id}/end"),
    ("GET", "/console"),
    ("GET", "/console/"),
}
ASKED: Mapping[tuple[str, str], tuple[Permission, Mapping[str, Any]]] = {
    ("GET", "/console/users"): (Permission.MANAGE_USERS, {}),
    ("POST", "/console/users"): (Permission.MANAGE_USERS, {"username": "an", "role": "clerk"}),
    ("POST", "/console/users/search"): (Permission.MANAGE_USERS, {}),
    ("GET", "/console/users/{user_id}"): (Permission.MANAGE_USERS, {}),
    ("POST", "/console/users/{user_id}/role"): (Permission.MANAGE_USERS, {"role": "clerk"}),
    ("GET", "/console/users/{user_id}/outside"): (Permission.MANAGE_USERS, {}),
    ("POST", "/console/users/{user_id}/outside"): (Permission.MANAGE_USERS, {"subject": "x"}),
    ("POST", "/console/users/{user_id}/outside/remove"): (Permission.MANAGE_USERS, {}),
    ("POST", "/console/users/{user_id}/place"): (Permission.MANAGE_USERS, {"reach": "province"}),
    ("POST", "/console/users/{user_id}/switch"): (Permission.MANAGE_USERS, {"state": "enabled"}),
    ("POST", "/console/users/{user_id}/reset-password"): (Permission.MANAGE_USERS, {}),
    ("GET", "/console/users/second-factors"): (Permission.MANAGE_USERS, {}),
    ("POST", "/console/users/second-factors"): (Permission.MANAGE_USERS, {}),
    ("POST", "/console/users/{user_id}/second-factor/reset"): (Permission.MANAGE_USERS, {}),
    ("POST", "/v1/passages/search"): (Permission.SEE_PASSAGES, {}),
    ("GET", "/v1/incidents"): (Permission.SEE_PASSAGES, {}),
    ("GET", "/v1/incidents/{incident_id}"): (Permission.SEE_PASSAGES, {}),
    ("GET", "/console/incidents"): (Permission.SEE_PASSAGES, {}),
    ("GET", "/console/incidents/{incident_id}"): (Permission.SEE_PASSAGES, {}),
    ("GET", "/v1/passages/{passage_id}"): (Permission.SEE_PASSAGES, {}),
    ("GET", "/v1/evidence/{sha256}"): (Permission.SEE_PASSAGES, {}),
    ("GET", "/console/passages"): (Permission.SEE_PASSAGES, {}),
    ("GET", "/console/pictures/{sha256}"): (Permission.SEE_PASSAGES, {}),
    ("POST", "/console/passages/search"): (Permission.SEE_PASSAGES, {}),
    ("GET", "/console/passages/stream"): (Permission.SEE_PASSAGES, {"after": 0}),
    ("GET", "/console/passages/{passage_id}"): (Permission.SEE_PASSAGES, {}),
    ("POST", "/v1/vehicles/lookup"): (Permission.LOOK_UP_VEHICLES, PLATE),
    ("POST", "/v1/permits/check"): (Permission.CHECK_PAPERS, PLATE),
    ("POST", "/v1/licences/check"): (
        Permission.CHECK_PAPERS,
        PLATE | {"licence_number": "010203040506"},
    ),
    ("POST", "/v1/passages/alike"): (
        Permission.LOOK_UP_VEHICLES,
        LOOK
        | {"plate": "20A*", "captured_from": "2026-11-01T00:00:00Z"}
        | {"captured_until": "2026-11-30T00:00:00Z"},
    ),
    ("GET", "/console/passages/alike"): (Permission.LOOK_UP_VEHICLES, {}),
    ("POST", "/console/passages/alike"): (
        Permission.LOOK_UP_VEHICLES,
        LOOK | {"plate": "20A*"},
    ),
    ("POST", "/v1/passages/convoys"): (
        Permission.LOOK_UP_VEHICLES,
        LOOK
        | {"plate": "20A12345", "captured_from": "2026-11-01T00:00:00Z"}
        | {"captured_until": "2026-11-30T00:00:00Z"},
    ),
    ("GET", "/console/passages/convoys"): (Permission.LOOK_UP_VEHICLES, {}),
    ("POST", "/console/passages/convoys"): (
        Permission.LOOK_UP_VEHICLES,
        LOOK | {"plate": "20A12345"},
    ),
    ("GET", "/console/passages/export"): (Permission.LOOK_UP_VEHICLES, {}),
    ("POST", "/console/passages/export"): (Permission.LOOK_UP_VEHICLES, LOOK),
    ("GET", "/console/passages/{passage_id}/similar"): (Permission.LOOK_UP_VEHICLES, {}),
    ("POST", "/console/passages/{passage_id}/similar"): (Permission.LOOK_UP_VEHICLES, LOOK),
    ("GET", "/console/traffic/journeys"): (Permission.SEE_PASSAGES, {}),
    ("GET", "/console/overview"): (Permission.SEE_PASSAGES, {}),
    ("GET", "/console/overview/strip"): (Permission.SEE_PASSAGES, {}),
    ("GET", "/console/overview/charts"): (Permission.SEE_PASSAGES, {}),
    ("GET", "/console/overview/charts/{key}"): (Permission.SEE_PASSAGES, {}),
    ("GET", "/console/map"): (Permission.SEE_PASSAGES, {}),
    ("GET", "/console/traffic"): (Permission.SEE_PASSAGES, {}),
    ("GET", "/console/traffic/{key}"): (Permission.SEE_PASSAGES, {}),
    ("GET", "/console/map/sites"): (Permission.SEE_PASSAGES, {}),
    ("GET", "/v1/alerts"): (Permission.SEE_ALERTS, {}),
    ("GET", "/v1/alerts/{alert_id}"): (Permission.SEE_ALERTS, {}),
    ("POST", "/v1/alerts/{alert_id}/acknowledge"): (Permission.HANDLE_ALERTS, {}),
    ("POST", "/v1/alerts/{alert_id}/close"): (
        Permission.HANDLE_ALERTS,
        {"reason": "vehicle_stopped"},
    ),
    ("POST", "/v1/watchlist/search"): (Permission.SEE_WATCHLIST, {}),
    ("POST", "/v1/watchlist"): (
        Permission.EDIT_WATCHLIST,
        {"plate": "20C12345", "reason": "stolen", "legal_basis": "x"},
    ),
    ("DELETE", "/v1/watchlist/{entry_id}"): (Permission.EDIT_WATCHLIST, {}),
    ("GET", "/v1/sites"): (Permission.SEE_PASSAGES, {}),
    ("GET", "/v1/devices"): (Permission.SEE_DEVICES, {}),
    ("GET", "/v1/devices/{device_id}"): (Permission.SEE_DEVICES, {}),
    ("GET", "/v1/devices/{device_id}/completeness"): (Permission.SEE_DEVICES, {}),
    ("GET", "/v1/completeness/statements"): (Permission.SEE_DEVICES, {}),
    ("GET", "/v1/completeness/statements/{day}"): (Permission.SEE_DEVICES, {}),
    ("GET", "/v1/completeness/statements/{day}/paper"): (Permission.SEE_DEVICES, {}),
    ("GET", "/v1/completeness"): (Permission.SEE_DEVICES, {"day": "2026-11-28"}),
    ("GET", "/v1/national/provinces"): (Permission.SEE_NATIONAL, {"day": "2026-11-27"}),
    ("GET", "/v1/national/{province}/days"): (Permission.SEE_NATIONAL, {}),
    ("PUT", "/v1/national/{province}/completeness/{day}"): (
        Permission.PUSH_NATIONAL,
        SHEET | {"rows": [{"revision": 1, "due_count": 1, "stored_count": 1, "gap_count": 0}]},
    ),
    ("PUT", "/v1/national/{province}/tolls/{day}"): (Permission.PUSH_NATIONAL, SHEET),
    ("PUT", "/v1/national/{province}/traffic/{hour}"): (Permission.PUSH_NATIONAL, SHEET),
    ("GET", "/console/national"): (Permission.SEE_NATIONAL, {}),
    ("GET", "/console/national/{province}"): (Permission.SEE_NATIONAL, {}),
    ("GET", "/console/alerts"): (Permission.SEE_ALERTS, {}),
    ("GET", "/console/alerts/stream"): (Permission.SEE_ALERTS, {"after": 0}),
    ("GET", "/console/alerts/{alert_id}"): (Permission.SEE_ALERTS, {}),
    ("POST", "/console/alerts/{alert_id}/acknowledge"): (
        Permission.HANDLE_ALERTS,
        {"version": 1},
    ),
    ("POST", "/console/alerts/{alert_id}/close"): (
        Permission.HANDLE_ALERTS,
        {"version": 1, "reason": "handled"},
    ),
    ("POST", "/console/find"): (Permission.SEE_PASSAGES, {"text": "20C-123.45"}),
    ("POST", "/console/watchlist/search"): (Permission.SEE_WATCHLIST, {"plate": "20C12345"}),
    ("GET", "/console/watchlist"): (Permission.SEE_WATCHLIST, {}),
    ("POST", "/console/watchlist"): (Permission.EDIT_WATCHLIST, {"plate": "20C12345"}),
    ("POST", "/console/watchlist/{entry_id}/remove"): (Permission.EDIT_WATCHLIST, {}),
    ("GET", "/console/vehicles"): (Permission.LOOK_UP_VEHICLES, {}),
    ("POST", "/console/vehicles/search"): (Permission.LOOK_UP_VEHICLES, {"text": "20C*", **LOOK}),
    ("GET", "/console/vehicles/{vehicle_id}"): (Permission.LOOK_UP_VEHICLES, {}),
    ("POST", "/console/vehicles/{vehicle_id}/look"): (Permission.LOOK_UP_VEHICLES, LOOK),
    ("GET", "/console/tolls"): (Permission.SEE_TOLLS, {}),
    ("GET", "/console/tolls/numbers"): (Permission.SEE_TOLLS, {}),
    ("GET", "/console/tolls/review"): (Permission.REVIEW_TOLLS, {}),
    ("GET", "/console/tolls/{crossing_id}"): (Permission.SEE_TOLLS, {}),
    ("POST", "/console/tolls/{crossing_id}/decide"): (
        Permission.REVIEW_TOLLS,
        {"version": 1, "decision": "waive"},
    ),
    ("POST", "/console/tolls/{crossing_id}/refund"): (
        Permission.CLOSE_TOLL_DAYS,
        {"version": 1, "reason": "wrong_group"},
    ),
    ("POST", "/console/tolls/days/{day_id}/file"): (Permission.CLOSE_TOLL_DAYS, {}),
    ("GET", "/console/tolls/days"): (Permission.SEE_TOLLS, {}),
    ("POST", "/console/tolls/days"): (
        Permission.CLOSE_TOLL_DAYS,
        {"station": "km12", "day": "2026-11-22"},
    ),
    ("GET", "/console/tolls/days/{day_id}"): (Permission.SEE_TOLLS, {}),
    ("GET", "/console/dossiers"): (Permission.SEE_DOSSIERS, {}),
    ("POST", "/console/dossiers/find"): (Permission.SEE_DOSSIERS, {"code": "H15"}),
    ("GET", "/console/dossiers/new"): (Permission.TAKE_IN_DOSSIERS, {"vehicle": ANY_ID}),
    ("POST", "/console/dossiers/new"): (Permission.TAKE_IN_DOSSIERS, {"vehicle": ANY_ID}),
    ("GET", "/console/dossiers/new/findings"): (
        Permission.TAKE_IN_DOSSIERS,
        {"vehicle": ANY_ID, "procedure": "badge"},
    ),
    ("GET", "/console/dossiers/{code}"): (Permission.SEE_DOSSIERS, {}),
    ("POST", "/console/dossiers/{code}/{action}"): (Permission.SEE_DOSSIERS, {"version": "1"}),
    ("GET", "/console/dossiers/{code}/papers"): (Permission.SEE_DOSSIERS, {}),
    ("GET", "/console/dossiers/{code}/papers/{kind}.pdf"): (Permission.SEE_DOSSIERS, {}),
    ("GET", "/console/components"): (Permission.SEE_COMPONENTS, {}),
    ("GET", "/console/keys"): (Permission.MANAGE_KEYS, {}),
    ("POST", "/console/keys"): (Permission.MANAGE_KEYS, {"name": "x1", "purpose": "x"}),
    ("POST", "/console/keys/{name}/rotate"): (Permission.MANAGE_KEYS, {}),
    ("POST", "/console/keys/{prefix}/revoke"): (Permission.MANAGE_KEYS, {}),
    ("GET", "/v1/webhooks"): (Permission.MANAGE_WEBHOOKS, {}),
    ("POST", "/v1/webhooks"): (
        Permission.MANAGE_WEBHOOKS,
        {"name": "x1", "url": "https://example.vn/", "events": ["alert.raised"]},
    ),
    ("GET", "/v1/webhooks/{webhook_id}"): (Permission.MANAGE_WEBHOOKS, {}),
    ("POST", "/v1/webhooks/{webhook_id}/secret"): (Permission.MANAGE_WEBHOOKS, {}),
    ("POST", "/v1/webhooks/{webhook_id}/test"): (Permission.MANAGE_WEBHOOKS, {}),
    ("DELETE", "/v1/webhooks/{webhook_id}"): (Permission.MANAGE_WEBHOOKS, {}),
    ("GET", "/console/webhooks"): (Permission.MANAGE_WEBHOOKS, {}),
    ("POST", "/console/webhooks"): (Permission.MANAGE_WEBHOOKS, {"name": "x1"}),
    ("GET", "/console/webhooks/{webhook_id}"): (Permission.MANAGE_WEBHOOKS, {}),
    ("POST", "/console/webhooks/{webhook_id}/pause"): (Permission.MANAGE_WEBHOOKS, {}),
    ("POST", "/console/webhooks/{webhook_id}/remove"): (Permission.MANAGE_WEBHOOKS, {}),
    ("POST", "/console/webhooks/{webhook_id}/resume"): (Permission.MANAGE_WEBHOOKS, {}),
    ("POST", "/console/webhooks/{webhook_id}/rotate"): (Permission.MANAGE_WEBHOOKS, {}),
    ("POST", "/console/webhooks/{webhook_id}/test"): (Permission.MANAGE_WEBHOOKS, {}),
    ("POST", "/console/webhooks/{webhook_id}/deliveries/{delivery_id}/send-again"): (
        Permission.MANAGE_WEBHOOKS,
        {},
    ),
    ("GET", "/console/audit"): (Permission.SEE_AUDIT, {}),
    ("GET", "/console/protection"): (Permission.PROTECT_DATA, {}),
    ("POST", "/console/protection/findings/{finding_id}/decide"): (
        Permission.PROTECT_DATA,
        {"state": "explained", "reason": "x"},
    ),
    ("GET", "/console/protection/looks"): (Permission.PROTECT_DATA, {}),
    ("POST", "/console/protection/looks"): (Permission.PROTECT_DATA, PLATE),
    ("GET", "/console/protection/rules"): (Permission.PROTECT_DATA, {}),
    ("POST", "/console/protection/rules/{name}"): (Permission.PROTECT_DATA, {"version": 1}),
    ("GET", "/console/protection/relatives"): (Permission.PROTECT_DATA, {}),
    ("POST", "/console/protection/relatives"): (Permission.PROTECT_DATA, {}),
    ("POST", "/console/protection/relatives/{relative_id}/remove"): (Permission.PROTECT_DATA, {}),
    ("GET", "/console/protection/retention"): (Permission.PROTECT_DATA, {}),
    ("GET", "/console/protection/retention/{record_id}/record.pdf"): (Permission.PROTECT_DATA, {}),
    ("GET", "/console/protection/requests"): (Permission.PROTECT_DATA, {}),
    ("POST", "/console/protection/requests"): (Permission.PROTECT_DATA, {"kind": "access"}),
    ("GET", REQUEST): (Permission.PROTECT_DATA, {}),
    ("POST", f"{REQUEST}/advance"): (Permission.PROTECT_DATA, {"state": "done"}),
    ("POST", f"{REQUEST}/export"): (Permission.PROTECT_DATA, {}),
    ("POST", f"{REQUEST}/erase"): (Permission.PROTECT_DATA, {}),
    ("GET", f"{REQUEST}/certificate.pdf"): (Permission.PROTECT_DATA, {}),
    ("GET", "/console/audit/roots"): (Permission.SEE_AUDIT, {}),
    ("GET", "/console/audit/roots/file"): (Permission.SEE_AUDIT, {}),
    ("POST", "/console/audit/find"): (
        Permission.SEE_AUDIT,
        {"subject_kind": "vehicle", "subject_id": ANY_ID},
    ),
    ("GET", "/console/cameras"): (Permission.SEE_DEVICES, {}),
    ("GET", "/console/cameras/{device_id}"): (Permission.SEE_DEVICES, {}),
    ("GET", "/console/cameras/{device_id}/frames"): (Permission.SEE_LIVE_FRAMES, {}),
    ("POST", "/console/cameras/{device_id}/frames"): (
        Permission.SEE_LIVE_FRAMES,
        LOOK | {"camera": "lan-vao"},
    ),
    ("GET", "/console/cameras/{device_id}/frames/{frame_id}"): (Permission.SEE_LIVE_FRAMES, {}),
    ("GET", "/console/cameras/{device_id}/frames/{frame_id}/picture"): (
        Permission.SEE_LIVE_FRAMES,
        {},
    ),
    ("GET", "/console/captured"): (Permission.SEE_DEVICES, {}),
    ("GET", "/console/captured/{day}/statement.json"): (Permission.SEE_DEVICES, {}),
    ("GET", "/console/captured/{day}/statement.pdf"): (Permission.SEE_DEVICES, {}),
    ("GET", "/console/completeness"): (Permission.SEE_DEVICES, {}),
    ("GET", "/console/completeness/{device_id}"): (Permission.SEE_DEVICES, {}),
    ("GET", "/console/quarantine"): (Permission.HANDLE_QUARANTINE, {}),
    ("GET", "/console/quarantine/{message_id}"): (Permission.HANDLE_QUARANTINE, {}),
    ("POST", "/console/quarantine/{message_id}/look"): (Permission.HANDLE_QUARANTINE, LOOK),
    ("POST", "/console/quarantine/{message_id}/retry"): (Permission.HANDLE_QUARANTINE, {}),
    ("POST", "/console/quarantine/{message_id}/mend"): (
        Permission.HANDLE_QUARANTINE,
        {"text": "{}", "note": "x"},
    ),
    ("POST", "/console/quarantine/{message_id}/drop"): (
        Permission.HANDLE_QUARANTINE,
        {"note": "a test message"},
    ),
}


def plain(path: str) -> str:
    """A declared address without converters in its variables."""
    return re.sub(r":\w+\}", "}", path)


def take_away(monkeypatch: pytest.MonkeyPatch, permission: Permission) -> None:
    """Give the operator every permission but one."""
    table = {**PERMISSIONS, Role.OPERATOR: frozenset(Permission) - {permission}}
    for module in ("central.identity.types", "api.pages.rendering"):
        monkeypatch.setattr(f"{module}.PERMISSIONS", MappingProxyType(table))


def ask(client: httpx.Client, method: str, path: str, values: Mapping[str, Any]) -> httpx.Response:
    """Ask an address with something sensible in its variables and its form."""
    address = re.sub(r"\{(\w+)\}", lambda name: VALUES.get(name[1], ANY_ID), path)
    headers = {"HX-Request": "true"}
    if method == "GET":
        return client.get(address, params=values, headers=headers)
    if method == "DELETE":
        return client.delete(address, headers={"If-Match": '"1"'})
    if path.startswith("/v1"):
        return client.request(method, address, json=values, headers={"If-Match": '"1"'})
    return client.post(address, data=values, headers=headers)


def test_every_address_is_in_one_of_the_tables(world: World) -> None:
    routes = {(method, plain(path)) for method, path in routes_of(world.app)}

    assert routes == OPEN_ROUTES | EVERYBODYS | set(ASKED)


def test_the_documented_table_says_what_the_tests_ask() -> None:
    asked = {route: permission for route, (permission, _values) in ASKED.items()}

    assert asked | dict.fromkeys(OPEN_ROUTES, Door.OPEN) | dict.fromkeys(
        EVERYBODYS, Door.SIGNED_IN
    ) == dict(ROUTES), "a new address needs a row in api/access.py"


@pytest.mark.parametrize(("method", "path"), sorted(ASKED))
def test_an_address_refuses_whoever_lacks_its_permission_and_that_is_written_down(
    world: World, client: httpx.Client, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    permission, values = ASKED[method, path]
    take_away(monkeypatch, permission)

    answer = ask(client, method, path, values)

    assert answer.status_code == 403
    if path.startswith("/v1"):
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "permission-denied"
    with psycopg.connect(world.owner_url) as rows:
        written = rows.execute(
            "SELECT action, outcome, subject_id, detail FROM audit_entry ORDER BY id"
        ).fetchall()
    [(action, outcome, subject_id, detail)] = written
    assert (action, outcome, subject_id) == ("act_refused", "refused", permission)
    assert (detail["method"], plain(detail["route"])) == (method, path)
    assert "20C" not in str(detail)
