# SPDX-License-Identifier: AGPL-3.0-or-later
"""Follows the operator's live list of alerts, and judges what the passing vehicles raised."""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Final, Self
from uuid import UUID

import httpx
from psycopg import AsyncConnection

from central.control.service import AlertService
from central.control.types import AlertFilter, ListRequest, SeenAlert
from central.domain.control_law import RuleName
from central.identity.types import User
from central.passages.service import PassageService
from central.passages.types import CameraKey, PageRequest, PassageFilter, PassageSummary
from deploy.demo.story.browsing import PageError, PageReader
from deploy.demo.story.cast import Cast, Part
from deploy.demo.story.files import CAMERA, SITE
from deploy.demo.story.results import StepResult
from deploy.demo.story.setting import in_database
from deploy.local.clock import utc_now

ALERTS_PATH: Final = "/console/alerts"
PASSAGES_MAX: Final = 100
ALERTS_MAX: Final = 100
SHOWN_WITHIN_S: Final = 1.0
"""What operators are promised; more is told, and judged only beyond ``SHOWN_LIMIT_S``."""

SHOWN_LIMIT_S: Final = 20.0
SETTLE_LIMIT_S: Final = 30.0
POLL_S: Final = 0.2
JOIN_LIMIT_S: Final = 5.0
_ALERT: Final = re.compile(r"/console/alerts/([0-9a-f-]{36})")
_STREAM: Final = re.compile(r'data-alerts-url="([^"]+)"')
_POSITION: Final = re.compile(r'data-position="(\d+)"')


class LiveList:
    """The operator's open list: when did the server tell it of which alert?"""

    def __init__(self, reader: PageReader, *, root: str) -> None:
        """Prepare to follow.

        Args:
            reader: An operator who is signed in.
            root: Address of the api.
        """
        page = reader.open(ALERTS_PATH)
        stream, position = _STREAM.search(page.html), _POSITION.search(page.html)
        if stream is None or position is None:
            raise PageError(f"{page.url} does not say where its live list is")
        address = stream.group(1).replace("&amp;", "&")
        self._address = httpx.URL(root + address).copy_merge_params({"after": position.group(1)})
        self._cookies = dict(reader.cookies)
        self._shown: dict[UUID, datetime] = {}
        self._lock = Lock()
        self._stop, self._open = Event(), Event()
        self._thread = Thread(target=self._follow, name="live-alerts", daemon=True)

    @property
    def shown(self) -> Mapping[UUID, datetime]:
        """When an alert came to the list for the first time."""
        with self._lock:
            return dict(self._shown)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._open.wait(JOIN_LIMIT_S):
            raise PageError("the live list of alerts does not open")
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join(JOIN_LIMIT_S)

    def _follow(self) -> None:
        timeout = httpx.Timeout(JOIN_LIMIT_S, read=SHOWN_WITHIN_S)
        with httpx.Client(timeout=timeout, cookies=self._cookies) as client:
            while not self._stop.is_set():
                try:
                    with client.stream("GET", self._address) as answer:
                        answer.raise_for_status()
                        self._open.set()
                        for line in answer.iter_lines():
                            self._note(line)
                            if self._stop.is_set():
                                return
                except httpx.TransportError:
                    continue  # nothing came for a while; the list connects again, as browsers do

    def _note(self, line: str) -> None:
        now = utc_now()
        with self._lock:
            for found in _ALERT.findall(line):
                self._shown.setdefault(UUID(found), now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """What the centre holds of one play.

    Attributes:
        by_plate: The passages by plate; a plate that was stored twice is there twice.
        alerts: The newest alerts.
    """

    by_plate: Mapping[str, Sequence[PassageSummary]]
    alerts: Sequence[SeenAlert]

    def passage_of(self, plate: str) -> PassageSummary | None:
        """The only passage of a plate; ``None`` when there is none, or more than one."""
        found = self.by_plate.get(plate, ())
        return found[0] if len(found) == 1 else None

    def alerts_about(self, plate: str) -> Sequence[SeenAlert]:
        """Alerts whose newest sighting is the passage of a plate."""
        passage = self.passage_of(plate)
        if passage is None:
            return ()
        return [each for each in self.alerts if each.alert.passage_id == passage.id]


def wait_until_judged(database_url: str, *, since: datetime, count: int, user: User) -> Passed:
    """Read what a play stored once the worker has judged all of it.

    Args:
        database_url: Of the running stack.
        since: Aware time at which the play began.
        count: Passages that must be there.
        user: Who looks.
    """
    deadline = time.monotonic() + SETTLE_LIMIT_S
    while True:
        passed, is_judged = in_database(
            database_url, lambda connection: _passed(connection, since=since, user=user)
        )
        stored = sum(map(len, passed.by_plate.values()))
        if (is_judged and stored >= count) or time.monotonic() > deadline:
            return passed
        time.sleep(POLL_S)


def told(
    passed: Passed, cast: Cast, live: Mapping[UUID, datetime], *, page_root: str
) -> StepResult:
    """What the vehicles raised, against what they must raise."""
    step = StepResult(
        title="2 · The truck passes without a badge: alerts", page=page_root + ALERTS_PATH
    )
    wanted = {
        Part.TRUCK: {RuleName.YELLOW_WITHOUT_BADGE},
        Part.WATCHED: {RuleName.WATCHLISTED},
    }
    for member in cast.in_lane():
        passage = passed.passage_of(member.plate)
        if not step.check(
            passage is not None,
            f"{member.plate} ({member.part}): one passage",
            otherwise=f"{member.plate} ({member.part}): not exactly one passage",
        ):
            continue
        found = passed.alerts_about(member.plate)
        rules = {each.alert.rule for each in found}
        step.check(
            rules == wanted.get(member.part, set()),
            f"{member.plate}: " + (", ".join(sorted(rules)) or "no alert"),
        )
        for each in found:
            _tell_alert(step, each, live.get(each.alert.id), page_root=page_root)
    return step


def _tell_alert(
    step: StepResult, seen: SeenAlert, shown_at: datetime | None, *, page_root: str
) -> None:
    alert, passage = seen.alert, seen.passage
    if shown_at is None or passage is None:
        step.check(is_right=False, text="the open list was not told of it")
        return
    seconds = (shown_at - passage.stored_at).total_seconds()
    step.check(
        seconds <= SHOWN_LIMIT_S,
        f"on the operator's open list {seconds:.2f} s after the passage was stored"
        + ("" if seconds <= SHOWN_WITHIN_S else f" (promised: {SHOWN_WITHIN_S:.0f} s)"),
    )
    step.tell(f"legal basis: {alert.legal_basis}")
    facts = "; ".join(
        f"{fact.name} = {fact.value or 'none'} ({fact.source}, {fact.as_of:%d/%m/%Y})"
        for fact in alert.facts
    )
    step.tell(f"facts: {facts}")
    step.tell(f"alert: {page_root}{ALERTS_PATH}/{alert.id}")


async def _passed(
    connection: AsyncConnection, *, since: datetime, user: User
) -> tuple[Passed, bool]:
    """What is stored, and whether all of it was judged."""
    service = PassageService(connection)
    page = await service.search(
        PassageFilter(captured_from=since, cameras=(CameraKey(site_id=SITE, camera_id=CAMERA),)),
        PageRequest(size=PASSAGES_MAX),
        scope=user.scope,
        now=utc_now(),
    )
    by_plate: dict[str, list[PassageSummary]] = {}
    for passage in page.passages:
        by_plate.setdefault(passage.plate_text, []).append(passage)
    waiting = await service.count_unjudged()
    found = await AlertService(connection).list_alerts(
        AlertFilter(), ListRequest(size=ALERTS_MAX), user=user
    )
    return Passed(by_plate=by_plate, alerts=found.alerts), waiting == 0
