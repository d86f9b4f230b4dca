# SPDX-License-Identifier: AGPL-3.0-or-later
"""Values about evidence pictures."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path


class Reception(StrEnum):
    """What happened to an uploaded picture."""

    CREATED = "created"
    ALREADY_THERE = "already_there"


class Purpose(StrEnum):
    """Why a passage, a tag read or a picture is kept."""

    PASSAGE = "passage"
    """Not known yet: its passage was not judged."""
    UNMATCHED = "unmatched"
    """For nothing but its age."""
    MATCHED = "matched"
    """A sighting of the automatic control."""
    PURSUED = "pursued"
    """Evidence: its alert goes on, or led to action."""
    TOLL = "toll"
    """A toll crossing."""
    SETTLED = "settled"
    """A message of the quarantine that was stored or dropped; no picture is kept for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPicture:
    """A picture in the store.

    Attributes:
        sha256: Hex digest of its bytes, lower case.
        path: Where its bytes are.
        erase_after: When it must be gone.
    """

    sha256: str
    path: Path
    media_type: str
    size_bytes: int
    site_id: str
    stored_at: datetime
    erase_after: datetime
