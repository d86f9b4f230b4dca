# SPDX-License-Identifier: AGPL-3.0-or-later
import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from central.errors import (
    EvidenceHashMismatchError,
    EvidenceNotAnImageError,
    EvidenceNotFoundError,
    EvidenceTooLargeError,
)
from central.evidence.store import PICTURE_BYTES_MAX, EvidenceStore

JPEG = bytes(cv2.imencode(".jpg", np.zeros((16, 16, 3), np.uint8))[1])


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def test_a_picture_is_found_under_its_hash(tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path)

    path = store.put(digest(JPEG), JPEG)

    assert path.read_bytes() == JPEG
    assert store.path_of(digest(JPEG)) == path


def test_storing_twice_leaves_one_file_and_nothing_half_written(tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path)

    store.put(digest(JPEG), JPEG)
    store.put(digest(JPEG), JPEG)

    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_bytes_with_another_hash_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EvidenceHashMismatchError):
        EvidenceStore(tmp_path).put(digest(JPEG + b"x"), JPEG)

    assert list(tmp_path.rglob("*.jpg")) == []


@pytest.mark.parametrize("body", [b"", b"GIF89a", JPEG[:-2], b"\xff\xd8", b"<svg/>"])
def test_what_is_no_whole_jpeg_is_refused(tmp_path: Path, body: bytes) -> None:
    with pytest.raises(EvidenceNotAnImageError):
        EvidenceStore(tmp_path).put(digest(body), body)


def test_a_picture_that_is_too_large_is_refused(tmp_path: Path) -> None:
    body = JPEG + bytes(PICTURE_BYTES_MAX)

    with pytest.raises(EvidenceTooLargeError):
        EvidenceStore(tmp_path).put(digest(body), body)


@pytest.mark.parametrize(
    "name", ["", "..", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "\n"]
)
def test_a_name_that_is_no_hash_never_becomes_a_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(EvidenceNotFoundError):
        EvidenceStore(tmp_path).path_of(name)


def test_an_erased_picture_is_gone_and_may_be_erased_again(tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path)
    path = store.put(digest(JPEG), JPEG)

    first, second = store.erase(digest(JPEG)), store.erase(digest(JPEG))

    assert (first, second) == (True, False)
    assert not path.exists()
