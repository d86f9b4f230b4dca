# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the outbox remembers of pictures that it gave up, until the centre is told.

A note takes the place of a picture in the same transaction; it is some hundred bytes where a
picture was thousands, so that giving up wins room. At most ``LOSSES_MAX`` notes are kept, the
newest; the heartbeat's count of pictures that were dropped holds all of them.
"""

import sqlite3
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from central.contracts.evidence_notice import EvidenceFate
from edge.outbox.database import from_us, to_us
from edge.outbox.types import LostPicture

LOSSES_MAX: Final = 10_000
"""Most notes that wait, about 2 MB. Higher: after a longer outage the centre is told of more."""


def take_pictures(
    connection: sqlite3.Connection, numbers: Sequence[int]
) -> list[tuple[str | None, str]]:
    """Delete pictures; returns the event that each belongs to, if it was noted, and its digest."""
    taken = []
    for number in numbers:
        taken += connection.execute(
            "DELETE FROM picture WHERE number = ? RETURNING event_id, sha256", (number,)
        ).fetchall()
    return taken


def note(connection: sqlite3.Connection, lost: Sequence[LostPicture]) -> None:
    """Remember pictures that were given up; the oldest notes go when there are too many."""
    connection.executemany(
        "INSERT INTO lost_picture (event_id, sha256, fate, given_up_at_us) VALUES (?, ?, ?, ?)",
        [
            (str(each.event_id), each.sha256, each.fate.value, to_us(each.given_up_at))
            for each in lost
        ],
    )
    connection.execute(
        "DELETE FROM lost_picture WHERE number <= (SELECT max(number) FROM lost_picture) - ?",
        (LOSSES_MAX,),
    )


def take_oldest(connection: sqlite3.Connection, limit: int) -> list[LostPicture]:
    """Take the notes that wait longest; the caller tells of them in the same transaction."""
    rows = connection.execute(
        "SELECT number, event_id, sha256, fate, given_up_at_us FROM lost_picture"
        " ORDER BY number LIMIT ?",
        (limit,),
    ).fetchall()
    if rows:
        connection.execute("DELETE FROM lost_picture WHERE number <= ?", (rows[-1][0],))
    return [
        LostPicture(
            event_id=UUID(event_id),
            sha256=sha256,
            fate=EvidenceFate(fate),
            given_up_at=from_us(given_up_us),
        )
        for _, event_id, sha256, fate, given_up_us in rows
    ]
