# SPDX-License-Identifier: AGPL-3.0-or-later
"""Devices upload pictures; people look at them."""

import httpx
import pytest

from central.contracts.passage import EvidenceKind
from tests.integration.api.world import DEVICE_ID, Seen, World, drawn_jpeg, sha256_of


def test_a_picture_is_stored_once_and_shown(world: World, client: httpx.Client) -> None:
    body = drawn_jpeg(seed=1)
    world.store(Seen(pictures=((EvidenceKind.PLATE, body),)))

    first, second = world.upload(body), world.upload(body)

    shown = client.get(f"/v1/evidence/{sha256_of(body)}")
    assert (first.status_code, second.status_code) == (201, 200)
    assert shown.content == body
    assert shown.headers["content-type"] == "image/jpeg"
    assert shown.headers["cache-control"] == "no-store"


def test_a_picture_needs_a_session(world: World) -> None:
    body = drawn_jpeg(seed=1)
    world.upload(body)

    answer = httpx.get(f"{world.api_url}/v1/evidence/{sha256_of(body)}")

    assert answer.status_code == 401


def test_an_unknown_picture_is_a_404(client: httpx.Client) -> None:
    answer = client.get(f"/v1/evidence/{'cd' * 32}")

    assert answer.status_code == 404
    assert answer.json()["code"] == "evidence-not-found"


@pytest.mark.parametrize("sha256", ["ABC", "../../etc/passwd", "g" * 64, "ab" * 31])
def test_what_is_no_hash_is_refused(client: httpx.Client, sha256: str) -> None:
    answer = client.get(f"/v1/evidence/{sha256}")

    assert answer.status_code in {404, 422}


def test_a_body_with_another_hash_is_refused_and_not_kept(
    world: World, client: httpx.Client
) -> None:
    announced = sha256_of(drawn_jpeg(seed=1))

    answer = _put(world, announced, drawn_jpeg(seed=2))

    assert answer.status_code == 409
    assert answer.json()["code"] == "hash-mismatch"
    assert client.get(f"/v1/evidence/{announced}").status_code == 404
    assert not list(world.evidence_folder.rglob(f"{announced}*"))


def test_a_picture_that_is_too_big_is_refused_by_its_announced_length(world: World) -> None:
    answer = _put(world, "ab" * 32, b"\xff" * (16_777_216 + 1))

    assert answer.status_code == 413
    assert answer.json()["code"] == "body-too-large"


@pytest.mark.parametrize(
    ("authorization", "status", "code"),
    [
        (None, 401, "device-unauthorised"),
        ("Bearer abc", 401, "device-unauthorised"),
        (f"Device {DEVICE_ID}", 401, "device-unauthorised"),
        (f"Device {DEVICE_ID}:wrong", 401, "device-unauthorised"),
        ("Device nobody-knows-it:secret", 404, "device-unknown"),
        ("Device Not A Slug:secret", 401, "device-unauthorised"),
    ],
)
def test_only_a_known_device_with_its_own_secret_may_upload(
    world: World, authorization: str | None, status: int, code: str
) -> None:
    headers = {"Content-Type": "image/jpeg"}
    if authorization is not None:
        headers["Authorization"] = authorization

    answer = httpx.put(
        f"{world.api_url}/v1/evidence/{'ab' * 32}", content=drawn_jpeg(seed=1), headers=headers
    )

    assert answer.status_code == status
    assert answer.json()["code"] == code


def test_a_body_of_another_kind_is_refused(world: World) -> None:
    body = drawn_jpeg(seed=1)

    answer = _put(world, sha256_of(body), body, content_type="application/octet-stream")

    assert answer.status_code == 415
    assert answer.json()["code"] == "unsupported-media-type"


def test_a_body_that_is_no_jpeg_is_refused(world: World) -> None:
    body = b"<svg onload=alert(1)>"

    answer = _put(world, sha256_of(body), body)

    assert answer.status_code == 415
    assert answer.json()["code"] == "not-a-jpeg"


def test_a_session_does_not_let_one_upload(client: httpx.Client) -> None:
    body = drawn_jpeg(seed=1)

    answer = client.put(
        f"/v1/evidence/{sha256_of(body)}", content=body, headers={"Content-Type": "image/jpeg"}
    )

    assert answer.status_code == 401


def _put(
    world: World, sha256: str, body: bytes, *, content_type: str = "image/jpeg"
) -> httpx.Response:
    return httpx.put(
        f"{world.api_url}/v1/evidence/{sha256}",
        content=body,
        headers=world.device_headers | {"Content-Type": content_type},
    )
