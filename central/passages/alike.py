# SPDX-License-Identifier: AGPL-3.0-or-later
"""Plates over months that may be the one somebody half knows, or that a camera misread.

An answer is a list of plates, not of passages: a plate that passes daily would fill every page. To
ask so is a look-up of many vehicles at once: it is written into the audit log with its purpose
before anything is searched, since a replica may answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from central.domain.plate_similarity import ALIKE_DISTANCE_MAX, pattern_distance
from central.domain.plates import PlatePattern
from central.errors import InvalidFilterError
from central.passages.plate_search import PlateSearch, check_span
from central.passages.repository import PassageRepository
from central.passages.rows import AlikeRow
from central.passages.types import FILTER_VALUES_MAX, PassageSummary

SPAN_MAX: Final = timedelta(days=366)
"""Longest time that one question covers. Higher: more chunks are opened, and more is found."""

KNOWN_MIN: Final = 3
"""Characters that a pattern must name. Lower: patterns that half of all plates fit."""

CANDIDATES_MAX: Final = 2000
ALIKE_SHOWN_MAX: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class AlikeQuestion:
    """Which plates are sought.

    Attributes:
        pattern: The plate as far as it is known.
        since: Earliest capture time, included.
        until: Latest capture time, excluded.
        site_ids: Any of these sites; empty for all.
    """

    pattern: PlatePattern
    since: datetime
    until: datetime
    site_ids: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_span(self.since, self.until, longest=SPAN_MAX)
        if len(self.site_ids) > FILTER_VALUES_MAX:
            raise InvalidFilterError(f"more than {FILTER_VALUES_MAX} sites")
        if self.pattern.known_characters < KNOWN_MIN:
            raise InvalidFilterError(f"a pattern names at least {KNOWN_MIN} characters")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlikePlate:
    """A plate that may be meant.

    Attributes:
        passages: How often it was read in the span of time.
        first_at: When first.
        last: Its newest passage.
        distance: 0 when it fits as it stands; grows with every character that only looks alike.
    """

    text: str
    passages: int
    first_at: datetime
    last: PassageSummary
    distance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AlikePlates:
    """What was found, the likeliest first. ``is_cut`` tells that there is more."""

    plates: tuple[AlikePlate, ...]
    is_cut: bool


class AlikePlateService(PlateSearch):
    """Questions for look-alike plates."""

    async def find(self, question: AlikeQuestion, *, now: datetime) -> AlikePlates:
        """Plates that fit a pattern or are easily read for one that does, the likeliest first.

        Raises:
            PermissionDeniedError: The user may not look vehicles up.
            SearchTooWideError: It took too long.
        """
        self._require()
        await self._note(
            "alike_plates_searched",
            plate=question.pattern.text,
            detail={
                "from": question.since.isoformat(),
                "until": question.until.isoformat(),
                "sites": list(question.site_ids),
            },
            now=now,
        )
        return await self._ask(partial(self._found, question=question))

    async def _found(self, rows: PassageRepository, *, question: AlikeQuestion) -> AlikePlates:
        candidates = await rows.alike_plates(
            question.pattern,
            since=question.since,
            until=question.until,
            site_ids=question.site_ids,
            limit=CANDIDATES_MAX + 1,
            scope=self._user.scope,
        )
        ranked = _ranked(question.pattern, candidates[:CANDIDATES_MAX])
        return AlikePlates(
            plates=await self._with_passages(rows, ranked[:ALIKE_SHOWN_MAX]),
            is_cut=len(candidates) > CANDIDATES_MAX or len(ranked) > ALIKE_SHOWN_MAX,
        )

    async def _with_passages(
        self, rows: PassageRepository, ranked: Sequence[tuple[float, AlikeRow]]
    ) -> tuple[AlikePlate, ...]:
        keys = [(row.last_at, row.last_id) for _, row in ranked]
        newest = {each.id: each for each in await rows.by_key(keys, self._user.scope)}
        return tuple(
            AlikePlate(
                text=row.plate_text,
                passages=row.passages,
                first_at=row.first_at,
                last=newest[row.last_id],
                distance=distance,
            )
            for distance, row in ranked
            if row.last_id in newest
        )


def _ranked(pattern: PlatePattern, rows: Sequence[AlikeRow]) -> list[tuple[float, AlikeRow]]:
    """Rows near enough, by distance, then by how often, then the newest first."""
    near = []
    for row in rows:
        distance = pattern_distance(pattern, row.plate_text)
        if distance is not None and distance <= ALIKE_DISTANCE_MAX:
            near.append((round(distance, 3), row))
    return sorted(near, key=lambda each: (each[0], -each[1].passages, -each[1].last_at.timestamp()))
