# SPDX-License-Identifier: AGPL-3.0-or-later
"""Looking at the quarantine without showing what its messages say."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import class_row

from central.ingest.repository import QUERIES


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineEntry:
    """An open message in quarantine, without its contents."""

    id: int
    reason: str
    detail: str
    topic: str
    device_id: str | None
    seq: int | None
    payload_size_bytes: int
    times_seen: int
    received_at: datetime
    last_received_at: datetime


def open_quarantine(connection: Connection, *, limit: int) -> Sequence[QuarantineEntry]:
    """The newest open messages in quarantine."""
    with connection.cursor(row_factory=class_row(QuarantineEntry)) as cursor:
        cursor.execute(QUERIES["select_quarantine"], {"rows_max": limit})
        return cursor.fetchall()
