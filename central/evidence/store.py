# SPDX-License-Identifier: AGPL-3.0-or-later
"""The content-addressed store: one file per picture, named by the hash of its bytes.

A file appears under its name only when it is whole and on the disk, so whoever finds it may
trust it; writing the same picture twice changes nothing.
"""

import hashlib
import os
import re
import tempfile
from pathlib import Path
from typing import Final

from central.contracts.identifiers import SHA256_PATTERN
from central.errors import (
    EvidenceHashMismatchError,
    EvidenceNotAnImageError,
    EvidenceNotFoundError,
    EvidenceTooLargeError,
)
from central.evidence.pictures import require_picture, shown_copy

PICTURE_BYTES_MAX: Final = 16_777_216
"""Largest picture. Equal to the limit in the passage's contract and in the database."""

JPEG_START: Final = b"\xff\xd8\xff"
JPEG_END: Final = b"\xff\xd9"
FOLDER_MODE: Final = 0o750
FILE_MODE: Final = 0o640
_SHA256: Final = re.compile(SHA256_PATTERN)


class EvidenceStore:
    """A folder of pictures. Calls block on the disk: async callers use a thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path_of(self, sha256: str) -> Path:
        """Where a picture is or would be.

        Raises:
            EvidenceNotFoundError: This is no hash.
        """
        if _SHA256.fullmatch(sha256) is None:
            raise EvidenceNotFoundError("?")
        return self._folder / sha256[:2] / sha256[2:4] / f"{sha256}.jpg"

    def put(self, sha256: str, body: bytes) -> Path:
        """Store a picture durably and return where it is.

        Raises:
            EvidenceTooLargeError: It has more than ``PICTURE_BYTES_MAX`` bytes.
            EvidenceHashMismatchError: The bytes have another hash.
            EvidenceNotAnImageError: The bytes are no whole JPEG.
            OSError: The disk is full or broken.
        """
        path = self.path_of(sha256)
        check_picture(sha256, body)
        if not path.exists():
            self._write(path, body)
        return path

    def _shown_path_of(self, sha256: str) -> Path:
        """Where the copy for browsers is or would be."""
        return self.path_of(sha256).with_suffix(".shown.jpg")

    def _write(self, path: Path, body: bytes) -> None:
        """Let a whole file appear under its name at once, and survive a power cut."""
        path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
        part = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            part.chmod(FILE_MODE)
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)

    def shown(self, sha256: str) -> bytes:
        """The copy that people are shown: drawn at the first look, kept as long as the picture.

        Raises:
            EvidenceNotFoundError: This is no hash, or the picture is not here.
            EvidenceNotAnImageError: The stored file is no picture that can be drawn.
            OSError: The disk is full or broken.
        """
        path, copy = self.path_of(sha256), self._shown_path_of(sha256)
        try:
            if copy.exists():
                return copy.read_bytes()
            body = path.read_bytes()
        except FileNotFoundError as error:
            raise EvidenceNotFoundError(sha256) from error
        drawn = shown_copy(sha256, body)
        self._write(copy, drawn)
        return drawn

    def erase(self, sha256: str) -> bool:
        """Remove a picture's file and its copy; ``False`` when it was not there."""
        path = self.path_of(sha256)
        self._shown_path_of(sha256).unlink(missing_ok=True)
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        _sync_folder(path.parent)
        return True


def check_picture(sha256: str, body: bytes) -> None:
    """Check that the bytes are a JPEG of this hash and of a bearable size, by decoding it.

    Raises:
        EvidenceTooLargeError: It has more than ``PICTURE_BYTES_MAX`` bytes.
        EvidenceHashMismatchError: The bytes have another hash.
        EvidenceNotAnImageError: The bytes are no whole JPEG.
    """
    if len(body) > PICTURE_BYTES_MAX:
        raise EvidenceTooLargeError(sha256, size_bytes_max=PICTURE_BYTES_MAX)
    if hashlib.sha256(body).hexdigest() != sha256:
        raise EvidenceHashMismatchError(sha256)
    if not body.startswith(JPEG_START) or not body.rstrip(b"\x00").endswith(JPEG_END):
        raise EvidenceNotAnImageError(sha256)
    require_picture(sha256, body)


def _sync_folder(folder: Path) -> None:
    """Make a name in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
