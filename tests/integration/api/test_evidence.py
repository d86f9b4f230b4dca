# SPDX-License-Identifier: AGPL-3.0-or-later
"""Devices upload pictures; people look at them."""

from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest

from central.contracts.passage import EvidenceKind
from central.errors import EvidenceNotFoundError
from central.evidence.store import EvidenceStore
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


def bomb() -> bytes:
    """A small JPEG whose header declares 60,000 times 60,000 pixels."""
    small = drawn_jpeg(seed=3)
    at = small.index(b"\xff\xc0") + 5
    return small[:at] + (60_000).to_bytes(2, "big") * 2 + small[at + 4 :]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<script>alert(1)</script>",
        b"\xff\xd8\xff" + b"no picture" + b"\xff\xd9",
        drawn_jpeg(seed=1)[:-400],
        drawn_jpeg(seed=1)[:-2],
        bomb(),
        bytes(cv2.imencode(".png", np.zeros((9, 9, 3), np.uint8))[1]),
        b"GIF89a" + drawn_jpeg(seed=1),
    ],
    ids=["empty", "script", "framed", "truncated", "endless", "bomb", "png", "polyglot"],
)
def test_what_does_not_decode_as_a_whole_jpeg_is_refused_and_not_kept(
    world: World, body: bytes
) -> None:
    answer = world.upload(body)

    assert (answer.status_code, answer.json()["code"]) == (415, "not-a-jpeg")
    assert not [path for path in world.evidence_folder.rglob("*") if path.is_file()]


def test_pages_show_a_picture_without_what_else_its_file_carries(
    world: World, client: httpx.Client
) -> None:
    plain = drawn_jpeg(seed=4)
    secret = b"Exif\x00\x00 serial number 4711 <script>"
    tagged = plain[:2] + b"\xff\xe1" + (len(secret) + 2).to_bytes(2, "big") + secret + plain[2:]
    world.store(Seen(pictures=((EvidenceKind.SCENE, tagged),)))
    assert world.upload(tagged).status_code == 201
    address = f"/console/pictures/{sha256_of(tagged)}"

    first, second = client.get(address), client.get(address)
    kept = client.get(f"/v1/evidence/{sha256_of(tagged)}")

    assert first.headers["content-type"] == "image/jpeg"
    assert first.content == second.content
    assert b"4711" not in first.content
    drawn = cv2.imdecode(np.frombuffer(first.content, np.uint8), cv2.IMREAD_COLOR)
    assert drawn is not None
    assert drawn.shape == (180, 320, 3)
    assert kept.content == tagged  # the evidence itself stays as it was signed for
    assert httpx.get(world.api_url + address).status_code == 303
    assert EvidenceStore(world.evidence_folder).erase(sha256_of(tagged))
    assert client.get(address).status_code == 404
    assert not [path for path in world.evidence_folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    "name", ["..%2f..%2fetc%2fpasswd", "....//etc/passwd", "%00" * 8, "A" * 64, "a" * 63 + "%0a"]
)
def test_no_name_leads_out_of_the_store(client: httpx.Client, name: str) -> None:
    for path in (f"/v1/evidence/{name}", f"/console/pictures/{name}"):
        assert client.get(path).status_code in {404, 422}
    with pytest.raises(EvidenceNotFoundError):
        EvidenceStore(Path("store")).path_of(name)
