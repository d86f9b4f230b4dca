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
WITH: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("POST", "/console/users"): {"username": "an", "role": "clerk"},
    ("POST", "/console/users/{user_id}/role"): {"role": "clerk"},
    ("POST", "/console/users/{user_id}/outside"): {"subject": "x"},
    ("POST", "/console/users/{user_id}/place"): {"reach": "province"},
    ("POST", "/console/users/{user_id}/switch"): {"state": "enabled"},
    ("GET", "/console/passages/stream"): {"after": 0},
    ("POST", "/v1/vehicles/lookup"): PLATE,
    ("POST", "/v1/permits/check"): PLATE,
    ("POST", "/v1/licences/check"): PLATE | {"licence_number": "010203040506"},
    ("POST", "/v1/passages/alike"): LOOK
    | {"plate": "20A*", "captured_from": "2026-11-01T00:00:00Z"}
    | {"captured_until": "2026-11-30T00:00:00Z"},
    ("POST", "/console/passages/alike"): LOOK | {"plate": "20A*"},
    ("POST", "/v1/passages/convoys"): LOOK
    | {"plate": "20A12345", "captured_from": "2026-11-01T00:00:00Z"}
    | {"captured_until": "2026-11-30T00:00:00Z"},
    ("POST", "/console/passages/convoys"): LOOK | {"plate": "20A12345"},
    ("POST", "/console/passages/export"): LOOK,
    ("POST", "/console/passages/{passage_id}/similar"): LOOK,
    ("POST", "/v1/alerts/{alert_id}/close"): {"reason": "vehicle_stopped"},
    ("POST", "/v1/watchlist"): {"plate": "20C12345", "reason": "stolen", "legal_basis": "x"},
    ("GET", "/v1/completeness"): {"day": "2026-11-28"},
    ("GET", "/v1/national/provinces"): {"day": "2026-11-27"},
    ("PUT", "/v1/national/{province}/completeness/{day}"): SHEET
    | {"rows": [{"revision": 1, "due_count": 1, "stored_count": 1, "gap_count": 0}]},
    ("PUT", "/v1/national/{province}/tolls/{day}"): SHEET,
    ("PUT", "/v1/national/{province}/traffic/{hour}"): SHEET,
    ("GET", "/console/alerts/stream"): {"after": 0},
    ("POST", "/console/alerts/{alert_id}/acknowledge"): {"version": 1},
    ("POST", "/console/alerts/{alert_id}/close"): {"version": 1, "reason": "handled"},
    ("POST", "/console/find"): {"text": "20C-123.45"},
    ("POST", "/console/watchlist/search"): {"plate": "20C12345"},
    ("POST", "/console/watchlist"): {"plate": "20C12345"},
    ("POST", "/console/vehicles/search"): {"text": "20C*", **LOOK},
    ("POST", "/console/vehicles/{vehicle_id}/look"): LOOK,
    ("POST", "/console/tolls/{crossing_id}/decide"): {"version": 1, "decision": "waive"},
    ("POST", "/console/tolls/{crossing_id}/refund"): {"version": 1, "reason": "wrong_group"},
    ("POST", "/console/tolls/days"): {"station": "km12", "day": "2026-11-22"},
    ("POST", "/console/dossiers/find"): {"code": "H15"},
    ("GET", "/console/dossiers/new"): {"vehicle": ANY_ID},
    ("POST", "/console/dossiers/new"): {"vehicle": ANY_ID},
    ("GET", "/console/dossiers/new/findings"): {"vehicle": ANY_ID, "procedure": "badge"},
    ("POST", "/console/dossiers/{code}/{action}"): {"version": "1"},
    ("POST", "/console/keys"): {"name": "x1", "purpose": "x"},
    ("POST", "/v1/webhooks"): {
        "name": "x1",
        "url": "https://example.vn/",
        "events": ["alert.raised"],
    },
    ("POST", "/console/webhooks"): {"name": "x1"},
    ("POST", "/console/protection/findings/{finding_id}/decide"): {
        "state": "explained",
        "reason": "x",
    },
    ("POST", "/console/protection/looks"): PLATE,
    ("POST", "/console/protection/rules/{name}"): {"version": 1},
    ("POST", "/console/protection/requests"): {"kind": "access"},
    ("POST", f"{REQUEST}/advance"): {"state": "done"},
    ("POST", "/console/audit/find"): {"subject_kind": "vehicle", "subject_id": ANY_ID},
    ("POST", "/console/cameras/{device_id}/frames"): LOOK | {"camera": "lan-vao"},
    ("POST", "/console/quarantine/{message_id}/look"): LOOK,
    ("POST", "/console/quarantine/{message_id}/mend"): {"text": "{}", "note": "x"},
    ("POST", "/console/quarantine/{message_id}/drop"): {"note": "a test message"},
}
"""What an address is asked with where it wants something to say."""

ASKED = {
    route: (permission, WITH.get(route, {}))
    for route, permission in ROUTES.items()
    if isinstance(permission, Permission)
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


def test_every_address_is_in_the_documented_table(world: World) -> None:
    routes = {(method, plain(path)) for method, path in routes_of(world.app)}

    assert routes == set(ROUTES), "a new address needs a row in api/access.py"


def test_a_door_without_a_permission_is_a_decision_made_twice() -> None:
    doors = {route: door for route, door in ROUTES.items() if isinstance(door, Door)}

    assert doors == dict.fromkeys(OPEN_ROUTES, Door.OPEN) | dict.fromkeys(
        EVERYBODYS, Door.SIGNED_IN
    )
    assert set(WITH) <= set(ASKED)


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
