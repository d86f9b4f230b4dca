# SPDX-License-Identifier: AGPL-3.0-or-later
"""Following gaps: when each was noticed, when it becomes an alarm, and when it is filled.

The alarm of a gap begins when its numbers count as lost by the rules of ``explaining``, and ends
by itself when the last of them has come.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from psycopg import AsyncConnection

from central.completeness.explaining import explained
from central.completeness.repository import CompletenessRepository
from central.completeness.types import Explanation, NotedGap, OpenGap, OverdueDevice
from central.domain.sequences import RANGES_MAX, SeqRange

SETTLING: Final = timedelta(minutes=10)
"""A gap that was noticed so lately raises no alarm: the broker may still hold its messages.
Higher: losses are told later; lower: a backlog after an outage alarms in vain."""

NOTED_AT_ONCE_MAX: Final = 4 * RANGES_MAX
JUDGED_AT_ONCE_MAX: Final = 2000
ROUNDS_MAX: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """What one look at the gaps changed.

    Attributes:
        overdue: Devices with gaps whose alarm begins now, by id.
    """

    noted: int
    filled: int
    overdue: tuple[OverdueDevice, ...]


async def follow_gaps(
    connection: AsyncConnection, *, outbox_age_max: timedelta, now: datetime
) -> Followed:
    """Bring what is known of gaps up to date, in the caller's transaction.

    Args:
        connection: One job at a time does this.
        outbox_age_max: For how long an outbox may keep an event; older gaps are lost.
        now: Aware time.
    """
    rows = CompletenessRepository(connection)
    filled = await rows.end_filled_gaps(now=now)
    noted = await rows.note_gaps(now=now, limit=NOTED_AT_ONCE_MAX)
    overdue: list[OpenGap] = []
    after = (0, 0)
    for _ in range(ROUNDS_MAX):
        gaps = await rows.open_gaps(
            noticed_before=now - SETTLING, after=after, limit=JUDGED_AT_ONCE_MAX
        )
        lost = [gap for gap in gaps if _is_lost(gap, outbox_age_max=outbox_age_max, now=now)]
        if lost:
            await rows.mark_overdue(lost, now=now)
        overdue.extend(lost)
        if len(gaps) < JUDGED_AT_ONCE_MAX:
            break
        after = (gaps[-1].stream_id, gaps[-1].first_seq)
    return Followed(noted=noted, filled=filled, overdue=tuple(_by_device(overdue)))


def _is_lost(gap: OpenGap, *, outbox_age_max: timedelta, now: datetime) -> bool:
    """Whether a number of what is left of a gap counts as lost."""
    if not gap.missing.ranges:
        return False
    numbers = SeqRange(first=gap.missing.ranges[0].first, last=gap.missing.last)
    note = NotedGap(
        numbers=numbers,
        noticed_at=gap.noticed_at,
        is_overdue=now - gap.noticed_at > outbox_age_max,
    )
    explanations = explained(gap.missing, (), gap.facts, (note,), now=now)
    return any(each.explanation is Explanation.LOST for each in explanations)


def _by_device(gaps: Sequence[OpenGap]) -> Iterator[OverdueDevice]:
    """Gaps added up by device."""
    ordered = sorted(gaps, key=lambda gap: (gap.device_id, gap.site_id))
    for (device_id, site_id), of_device in groupby(
        ordered, key=lambda gap: (gap.device_id, gap.site_id)
    ):
        group = list(of_device)
        yield OverdueDevice(
            device_id=device_id,
            site_id=site_id,
            numbers=sum(len(gap.missing) for gap in group),
            since=min(gap.noticed_at for gap in group),
        )
