# SPDX-License-Identifier: AGPL-3.0-or-later
"""The typed client is the one of today's document, and does what its calls say."""

import subprocess
import sys

import pytest

from api.client.calls import LuuthongClient
from api.client.transport import ApiProblemError
from central.contracts.passage import EvidenceKind
from central.identity.permissions import Permission
from deploy.client_code import FOLDER, files
from tests.integration.api.test_machines_v1 import CONTROL, LISTED, judge
from tests.integration.api.world import DEVICE_ID, Seen, World, drawn_jpeg, sha256_of

MODELS = FOLDER / "models"


def client_of(world: World, *permissions: Permission, name: str = "client") -> LuuthongClient:
    """A client with a key that allows exactly this."""
    with world.program(*permissions, name=name) as plain:
        return LuuthongClient(world.api_url, plain.headers["authorization"].removeprefix("Bearer "))


def test_the_client_is_the_one_that_make_client_writes() -> None:
    written = files()

    for path, text in written.items():
        assert path.read_text(encoding="utf-8") == text, path.name
    models = {path for path in written if path.parent == MODELS}
    assert set(MODELS.glob("*.py")) == models | {MODELS / "__init__.py"}


def test_the_client_loads_nothing_of_this_project_but_itself() -> None:
    script = (
        "import sys, api.client.calls;"
        "print(sorted(m for m in sys.modules if m.split('.')[0] in "
        "{'api', 'central', 'fastapi', 'pydantic', 'attrs', 'psycopg'}))"
    )

    loaded = subprocess.run(
        (sys.executable, "-c", script), capture_output=True, text=True, check=True, timeout=60
    ).stdout

    assert loaded.strip() == str(
        [
            "api",
            "api.client",
            "api.client.calls",
            "api.client.models",
            "api.client.models.alerts",
            "api.client.models.incidents",
            "api.client.models.national",
            "api.client.models.passages",
            "api.client.models.registry",
            "api.client.models.roads",
            "api.client.models.shared",
            "api.client.models.watchlist",
            "api.client.models.webhooks",
            "api.client.transport",
            "api.client.words",
        ]
    )


def test_a_program_works_through_an_alert_with_the_client(world: World) -> None:
    picture = drawn_jpeg(seed=7)
    with client_of(world, *CONTROL) as client:
        added = client.add_to_watchlist(
            {
                "plate": LISTED["plate"],
                "reason": "stolen",
                "legal_basis": LISTED["legal_basis"],
            },
            idempotency_key="once",
        )
        world.store(Seen(pictures=((EvidenceKind.PLATE, picture),)))
        world.upload(picture)
        judge(world)
        [alert] = client.list_alerts(state=["open"], page_size=10)["alerts"]
        seen = client.get_alert(alert["id"])["alert"]
        closed = client.close_alert(
            alert["id"], {"reason": "papers_shown"}, if_match=f'"{seen["version"]}"'
        )
        [passage] = client.search_passages({"plate": "20A-123*"})["passages"]
        jpeg = client.get_evidence(sha256_of(picture))
        [device] = client.list_devices()["devices"]
        client.remove_from_watchlist(added["id"])

    assert (closed["state"], passage["plate_text"], device["id"]) == (
        "closed",
        "20A12345",
        DEVICE_ID,
    )
    assert jpeg.startswith(b"\xff\xd8")


def test_a_refusal_is_an_exception_with_a_stable_code(world: World) -> None:
    with (
        client_of(world, Permission.SEE_PASSAGES) as client,
        pytest.raises(ApiProblemError) as denied,
    ):
        client.list_alerts()
    with LuuthongClient(world.api_url, "ltk_wrong") as stranger:
        with pytest.raises(ApiProblemError) as unknown:
            stranger.list_sites()
        with pytest.raises(ApiProblemError, match="not-found"):
            stranger.get_alert("../../metrics")

    assert (denied.value.status, denied.value.code) == (403, "permission-denied")
    assert (unknown.value.status, unknown.value.code) == (401, "key-unknown")
    assert denied.value.request_id
