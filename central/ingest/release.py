# SPDX-License-Identifier: AGPL-3.0-or-later
"""Lets messages out of quarantine whose reason has passed, as after a device was registered."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from central.domain.times import TimeLimits
from central.ingest.admission import Admission, with_lateness
from central.ingest.database import IngestDatabase
from central.ingest.parsing import parse
from central.ingest.repository import RELEASABLE_REASONS, IngestRepository
from central.ingest.store import store_batch
from central.ingest.types import Delivery, EventMessage, Reason

ROWS_PER_COMMIT: Final = 500
ROUNDS_MAX: Final = 200

TIMELESS_REASONS: Final = tuple(sorted(RELEASABLE_REASONS - {Reason.REFUSED_BY_DATABASE}))
"""What is tried by itself; a row that the database refused waits for a person."""


def release_quarantined(
    info: str,
    *,
    limits: TimeLimits,
    now: datetime,
    reasons: Sequence[Reason] = TIMELESS_REASONS,
    entry_id: int | None = None,
) -> int:
    """Store messages in quarantine that are good by now, and return how many became rows.

    Args:
        info: Connection string of the driver.
        limits: Which capture times can be true.
        now: The centre's clock.
        reasons: Only messages with one of these reasons are looked at.
        entry_id: Only this message; ``None`` for all.

    Raises:
        psycopg.Error: The database went away; what was committed stays.
    """
    database = IngestDatabase(info)
    released, after_id = 0, 0
    try:
        for _ in range(ROUNDS_MAX):
            with database.transaction() as connection:
                rows = IngestRepository(connection)
                found = rows.releasable(
                    [reason.value for reason in reasons],
                    after_id=after_id,
                    limit=ROWS_PER_COMMIT,
                    entry_id=entry_id,
                )
                if not found:
                    break
                after_id = found[-1].id
                messages = {
                    row.id: parse(Delivery(topic=row.topic, payload=row.payload)) for row in found
                }
                devices = {each.topic.device_id for each in messages.values() if each.topic}
                admission = Admission(directory=rows.directory(devices), limits=limits, now=now)
                good = {
                    key: admitted
                    for key, message in messages.items()
                    if isinstance(admitted := admission.admit(message), EventMessage)
                }
                dated = with_lateness(list(good.values()), limits=limits, now=now)
                released += store_batch(connection, dated, limits=limits, now=now).stored
                rows.resolve_stored(list(good), now=now)
    finally:
        database.close()
    return released
