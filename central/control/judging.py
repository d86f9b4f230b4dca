# SPDX-License-Identifier: AGPL-3.0-or-later
"""Judging passages, once each, against the registry and the watchlist of that moment."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from psycopg import AsyncConnection

from central.contracts.passage import PlateColour
from central.control.repository import ControlRepository
from central.control.rows import RaisedRow
from central.control.rules import Known, findings, is_sure
from central.control.types import ALERT_CHANNEL, AlertState, Finding, Judgement
from central.control.watchlist_repository import WatchlistRepository
from central.control.watchlist_types import WatchlistEntry
from central.domain.control_law import ControlLaw, control_law
from central.domain.local_time import local_date
from central.passages.service import PassageService
from central.passages.types import PassageSummary
from central.registry.service import RegistryService
from central.registry.types import PlateKey, VehicleFacts
from central.webhooks.outbox import WebhookOutbox
from central.webhooks.types import EventType, Happening


class JudgingService:
    """What control does with passages, in the caller's transaction.

    Args:
        connection: A connection whose transaction belongs to the caller.
        law: Rules and their legal bases; those of the package when absent.
    """

    def __init__(self, connection: AsyncConnection, *, law: ControlLaw | None = None) -> None:
        self._rows = ControlRepository(connection)
        self._watchlist = WatchlistRepository(connection)
        self._registry = RegistryService(connection)
        self._passages = PassageService(connection)
        self._law = law or control_law()
        self._outbox = WebhookOutbox(connection)

    async def judge_commit(self, position: int, *, now: datetime) -> Judgement | None:
        """Judge what one commit stored; ``None`` when that was done before.

        The commit counts as judged in the same transaction: a crash repeats all of it.
        """
        passages = await self._passages.lock_unjudged(position)
        if passages is None:
            return None
        judgement = await self.judge(passages, now=now)
        await self._passages.mark_judged(position, now=now)
        return judgement

    async def judge(self, passages: Sequence[PassageSummary], *, now: datetime) -> Judgement:
        """Compare passages with the watchlist and the registry, and raise alerts.

        A passage is judged once for each rule: judging it again changes nothing. A late passage
        raises nothing; it is kept, and counted where an alert is open.
        """
        sure = [each for each in passages if is_sure(each)]
        known = await self._known(sure, now=now)
        found = self._findings(sure, known)
        if found:
            found = await self._look_again(found, now=now)
        live = [each for each in found if not each.passage.is_late]
        late = [each for each in found if each.passage.is_late]
        raised = await self._rows.raise_alerts(live, now=now) if live else {}
        sightings: list[tuple[Finding, UUID | None]] = [
            (each, raised[each.key].id) for each in live
        ]
        for same in _by_key(late).values():
            alert_id = await self._rows.count_late(same)
            sightings.extend((each, alert_id) for each in same)
        if sightings:
            await self._rows.add_sightings(sightings, now=now)
        await self._outbox.put(_raised_happenings(live, raised), now=now)
        if raised:
            await self._rows.announce(
                {row.id for row in raised.values()}, channel=ALERT_CHANNEL, now=now
            )
        return Judgement(
            judged=len(passages),
            unsure=len(passages) - len(sure),
            unknown=sum(not known[each.id].vehicles for each in sure),
            raised=sum(row.is_new for row in raised.values()),
            sighted=len(live),
            late=len(late),
        )

    async def _known(
        self, passages: Sequence[PassageSummary], *, now: datetime
    ) -> Mapping[UUID, Known]:
        """What registry and watchlist know of each passage's plate, in a few queries for all."""
        if not passages:
            return {}
        by_day: defaultdict[date, list[PassageSummary]] = defaultdict(list)
        for each in passages:
            by_day[local_date(each.captured_at)].append(each)
        entries: defaultdict[str, list[WatchlistEntry]] = defaultdict(list)
        for entry in await self._watchlist.for_plates({each.plate_text for each in passages}):
            entries[entry.plate_text].append(entry)
        known: dict[UUID, Known] = {}
        for day, same_day in by_day.items():
            facts = await self._registry.facts_for_plates(set(map(_key, same_day)), on=day)
            for each in same_day:
                known[each.id] = _known_of(
                    each, facts[_key(each)], entries.get(each.plate_text, ()), now=now
                )
        return known

    def _findings(
        self, passages: Iterable[PassageSummary], known: Mapping[UUID, Known]
    ) -> list[Finding]:
        """Every finding about some passages."""
        return [
            finding for each in passages for finding in findings(each, known[each.id], self._law)
        ]

    async def _look_again(self, found: Sequence[Finding], *, now: datetime) -> list[Finding]:
        """The findings that still stand when everybody else who works on the same things is done.

        Without this, a badge that is granted at the same moment would be missed, and its alert
        raised again right after the decision closed it.
        """
        await self._rows.lock({each.key[1] for each in found})
        passages = {each.passage.id: each.passage for each in found}
        known = await self._known(list(passages.values()), now=now)
        done = await self._rows.judged(list(passages))
        return [
            each
            for each in self._findings(passages.values(), known)
            if (each.passage.id, each.rule.value) not in done
        ]


def _key(passage: PassageSummary) -> PlateKey:
    """The plate of a passage as it identifies."""
    return PlateKey(text=passage.plate_text, colour=passage.plate_colour or PlateColour.UNKNOWN)


def _known_of(
    passage: PassageSummary,
    vehicles: Sequence[VehicleFacts],
    entries: Sequence[WatchlistEntry],
    *,
    now: datetime,
) -> Known:
    """What is known of one passage; a late one is held against the list of its own time."""
    moment = passage.captured_at if passage.is_late else now
    colour = _key(passage).colour
    return Known(
        vehicles=tuple(vehicles),
        entries=tuple(each for each in entries if each.fits(colour) and each.holds_at(moment)),
        read_at=now,
    )


def _raised_happenings(
    live: Iterable[Finding], raised: Mapping[tuple[str, str], RaisedRow]
) -> list[Happening]:
    """What webhooks are told of alerts that are new."""
    return [
        Happening(
            type=EventType.ALERT_RAISED,
            subject="alert",
            subject_id=str(raised[key].id),
            site_id=same[-1].passage.site_id,
            state=AlertState.OPEN.value,
            rule=same[0].rule.value,
            path=f"/v1/alerts/{raised[key].id}",
        )
        for key, same in _by_key(live).items()
        if raised[key].is_new
    ]


def _by_key(found: Iterable[Finding]) -> Mapping[tuple[str, str], Sequence[Finding]]:
    """Findings by what they are about, in a fixed order."""
    grouped: defaultdict[tuple[str, str], list[Finding]] = defaultdict(list)
    for each in found:
        grouped[each.key].append(each)
    return dict(sorted(grouped.items()))
