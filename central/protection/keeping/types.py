# SPDX-License-Identifier: AGPL-3.0-or-later
"""Values about what is kept and what was erased."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from central.evidence.types import Purpose


class Kept(StrEnum):
    """Data that are kept by purpose."""

    PASSAGES = "passages"
    TAG_READS = "tag_reads"
    ALERTS = "alerts"
    QUARANTINE = "quarantine"


SPANNED: Final = (Kept.PASSAGES, Kept.TAG_READS)
"""What lies in hypertables and is judged by spans."""
CLOSED: Final = (Kept.ALERTS, Kept.QUARANTINE)
"""What is kept from its closing on and is judged row by row."""


class Way(StrEnum):
    """How rows went."""

    DROPPED = "dropped"
    """Their chunk was dropped; what stays was put back."""
    DELETED = "deleted"
    """Row by row: too many stay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A time, of spanned data a chunk's: from ``since`` to before ``until``, aware."""

    data: Kept
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureRecord:
    """Proof that rows were erased because their time was over.

    Attributes:
        erased: How many rows went.
        pictures: How many pictures go within the hour.
        kept: Rows of the span that stayed, by purpose.
        periods: What held when they were judged, by purpose.
        ids_sha256: Hash (hex) over the erased rows' ids, ascending, 16 bytes each.
    """

    id: UUID
    made_at: datetime
    data: Kept
    since: datetime
    until: datetime
    way: Way
    erased: int
    pictures: int
    kept: Mapping[Purpose, int]
    periods: Mapping[Purpose, timedelta]
    ids_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCursor:
    """A place in the list of records, which goes back in time."""

    made_at: datetime
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPage:
    """Records, newest first; ``next`` leads on, ``None`` at the end."""

    records: tuple[ErasureRecord, ...]
    next: RecordCursor | None
