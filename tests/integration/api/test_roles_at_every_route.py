# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every address asked by every role, by a key and by nobody: let in or not as the tables say.

What is expected comes from ``ROUTES`` and ``PERMISSIONS``, what is asked from the application: a
new address or role is asked without a word here.
"""

from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from enum import StrEnum
from typing import Any, Final

import httpx
import psycopg

from api.access import ROUTES, Door
from central.identity.permissions import PERMISSIONS, Permission, Role
from tests.integration.api.test_bad_input import ANY_ID, _filled
from tests.integration.api.test_route_permissions import ASKED, plain
from tests.integration.api.test_session import routes_of
from tests.integration.api.world import World

LOGIN: Final = "/console/login?next="
PROGRAM: Final = "everything"
REFUSED: Final = """
    SELECT actor, subject_id, detail ->> 'method', detail ->> 'route'
      FROM audit_entry
     WHERE action = 'act_refused' AND outcome = 'refused'
"""


class Verdict(StrEnum):
    """What an address makes of whoever asks."""

    LET_IN = "let in"
    REFUSED = "refused"
    SENT_TO_SIGN_IN = "sent to sign in"


def test_every_address_lets_in_every_role_as_the_tables_say_and_writes_each_refusal_down_once(
    own_world: World,
) -> None:
    routes = _last_those_that_sign_out(own_world)
    wrong: list[str] = []
    refusals: Counter[tuple[str, str, str, str]] = Counter()

    for role in Role:
        with ExitStack() as stack:
            client = stack.enter_context(_somebody(own_world, role))
            for method, path in routes:
                door = ROUTES[method, plain(path)]
                expected = _expected(role, path, door)
                found, status = _verdict(client, method, path)
                if found is not expected or status >= 500:
                    wrong.append(f"{role}: {method} {path}: {found} ({status}), not {expected}")
                if expected is Verdict.REFUSED:
                    refusals[_name(role), str(door), method, path] += 1

    assert len(routes) > 100
    assert wrong == []
    with psycopg.connect(own_world.owner_url) as rows:
        assert Counter(rows.execute(REFUSED).fetchall()) == refusals


def test_every_address_but_the_open_ones_sends_strangers_to_sign_in_and_refuses_nobody(
    own_world: World,
) -> None:
    wrong: list[str] = []
    with (
        psycopg.connect(own_world.owner_url, autocommit=True) as rows,
        httpx.Client(base_url=own_world.api_url) as stranger,
    ):
        before = Counter(rows.execute(REFUSED).fetchall())
        for method, path in _last_those_that_sign_out(own_world):
            stranger.cookies.clear()
            is_open = ROUTES[method, plain(path)] is Door.OPEN
            expected = Verdict.LET_IN if is_open else Verdict.SENT_TO_SIGN_IN
            found, status = _verdict(stranger, method, path)
            if found is not expected or status >= 500:
                wrong.append(f"{method} {path}: {found} ({status}), not {expected}")
        after = Counter(rows.execute(REFUSED).fetchall())

    assert wrong == []
    assert after == before


def test_every_permission_is_kept_from_some_role_and_given_to_some_that_people_have() -> None:
    for permission in Permission:
        holders = {role for role in Role if permission in PERMISSIONS[role]}
        assert holders < set(Role), permission


def _last_those_that_sign_out(world: World) -> list[tuple[str, str]]:
    """Every route, the open ones last: some of them end the session of the walk."""
    return sorted(
        set(routes_of(world.app)),
        key=lambda route: (ROUTES[route[0], plain(route[1])] is Door.OPEN, route),
    )


def _name(role: Role) -> str:
    """What the audit log calls the one who asks."""
    return PROGRAM if role is Role.API_CLIENT else role.value


def _somebody(world: World, role: Role) -> Any:  # noqa: ANN401  # a context of one client
    """A client of a role: a session, or for programs a key with all that a key can hold."""
    if role is Role.API_CLIENT:
        return world.program(*PERMISSIONS[role], name=PROGRAM)
    return world.signed_in_as(role)


def _expected(role: Role, path: str, door: Permission | Door) -> Verdict:
    """What the tables say."""
    if door is Door.OPEN:
        return Verdict.LET_IN
    if role is Role.API_CLIENT and not path.startswith("/v1/"):
        return Verdict.SENT_TO_SIGN_IN
    if door is Door.SIGNED_IN or door in PERMISSIONS[role]:
        return Verdict.LET_IN
    return Verdict.REFUSED


def _verdict(client: httpx.Client, method: str, path: str) -> tuple[Verdict, int]:
    """Ask once; the answer of a stream is not waited for."""
    _, values = ASKED.get((method, plain(path)), (None, {}))
    with client.stream(method, _filled(path, ANY_ID), **_carried(method, path, values)) as answer:
        status = answer.status_code
        if status == 403:
            return Verdict.REFUSED, status
        if status == 401:
            answer.read()
            is_stranger = answer.json()["code"] == "not-signed-in"
            return (Verdict.SENT_TO_SIGN_IN if is_stranger else Verdict.LET_IN), status
        if answer.headers.get("location", "").startswith(LOGIN):
            return Verdict.SENT_TO_SIGN_IN, status
        return Verdict.LET_IN, status


def _carried(method: str, path: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Something sensible in the query, the body or the form."""
    if method == "GET":
        return {"params": values}
    seen = {"If-Match": '"1"'} if path.startswith("/v1/") else {}
    if method == "DELETE":
        return {"params": values, "headers": seen}
    if path.startswith("/v1/"):
        return {"json": values, "headers": seen}
    return {"data": values}
