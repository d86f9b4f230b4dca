# SPDX-License-Identifier: AGPL-3.0-or-later
"""The list's address: which passages, and which page of them.

An address holds everything but the plate, so that it may be kept, shared and logged.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, Self, TypeVar
from urllib.parse import urlencode

from api.deps.cursors import CURSOR_LENGTH, parse_cursor
from central.contracts.identifiers import SLUG_PATTERN
from central.contracts.passage import Direction, VehicleClass
from central.domain.local_time import LOCAL_ZONE, local_date, start_of_local_day
from central.domain.plates import PlatePattern
from central.errors import InvalidFilterError
from central.passages.types import CameraKey, PageCursor, PageRequest, PassageFilter

LIST_PATH: Final = "/console/passages"
PAGE_SIZE: Final = 50
TRAIL_MAX: Final = 20
"""Newer pages that an address remembers; from further on one goes back to the newest."""

PLATE_LENGTH_MAX: Final = 32
_SLUG: Final = re.compile(SLUG_PATTERN)
_WORD: Final = re.compile(r"[A-Za-z0-9_-]{16}")
_CURSOR: Final = re.compile(rf"[A-Za-z0-9_-]{{{CURSOR_LENGTH}}}")

Member = TypeVar("Member", bound=StrEnum)


class Period(StrEnum):
    """A span of time to choose, up to now except for ``CUSTOM``."""

    ANY = "any"
    HOUR = "hour"
    TODAY = "today"
    DAY = "day"
    WEEK = "week"
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """What an address of the list says; anything wrong in it counts as absent.

    Attributes:
        place: A site, or ``site/camera``; empty for all.
        from_local: Vietnam time as browsers write it, used with ``Period.CUSTOM``.
        plate_word: Word that stands for a remembered plate.
        at: Cursor of this page; empty for the newest page.
        trail: Cursors of the newer pages on the way here, newest first; "" is the newest page.
    """

    place: str = ""
    vehicle_class: VehicleClass | None = None
    direction: Direction | None = None
    period: Period = Period.ANY
    from_local: str = ""
    to_local: str = ""
    plate_word: str = ""
    at: str = ""
    trail: tuple[str, ...] = ()

    @classmethod
    def parse(cls, values: Mapping[str, str]) -> Self:
        """Read an address or a form."""
        at = _matching(_CURSOR, values.get("at", ""))
        cursors = values.get("trail", "").split(".") if at else []
        period = _member(Period, values.get("period", "")) or Period.ANY
        is_custom = period is Period.CUSTOM
        return cls(
            place=_place(values.get("place", "")),
            vehicle_class=_member(VehicleClass, values.get("vehicle_class", "")),
            direction=_member(Direction, values.get("direction", "")),
            period=period,
            from_local=_local_text(values.get("from", "")) if is_custom else "",
            to_local=_local_text(values.get("to", "")) if is_custom else "",
            plate_word=_matching(_WORD, values.get("p", "")),
            at=at,
            trail=tuple(_matching(_CURSOR, cursor) for cursor in cursors)[-TRAIL_MAX:],
        )

    @property
    def is_active(self) -> bool:
        """Whether anything is filtered."""
        return self.without_page() != ListQuery()

    def without_page(self) -> "ListQuery":
        """The same search, at its newest page."""
        return self.with_page(at="", trail=())

    def with_page(self, *, at: str, trail: tuple[str, ...]) -> "ListQuery":
        """The same search at another page."""
        return replace(self, at=at, trail=trail[-TRAIL_MAX:])

    def with_plate_word(self, word: str) -> "ListQuery":
        """The same search for a remembered plate, at its newest page."""
        return replace(self, at="", trail=(), plate_word=word)

    def older(self, cursor: str) -> "ListQuery":
        """The next older page."""
        return self.with_page(at=cursor, trail=(*self.trail, self.at))

    def newer(self) -> "ListQuery | None":
        """The page before this one; ``None`` on the newest."""
        if not self.at:
            return None
        if not self.trail:
            return self.without_page()
        return self.with_page(at=self.trail[-1], trail=self.trail[:-1])

    def url(self, path: str = LIST_PATH) -> str:
        """Address of this search."""
        values = {
            "place": self.place,
            "vehicle_class": self.vehicle_class or "",
            "direction": self.direction or "",
            "period": "" if self.period is Period.ANY else self.period,
            "from": self.from_local,
            "to": self.to_local,
            "p": self.plate_word,
            "at": self.at,
            "trail": ".".join(self.trail) if self.at else "",
        }
        query = urlencode({name: value for name, value in values.items() if value}, safe="/:")
        return f"{path}?{query}" if query else path

    def as_filter(self, *, plate: PlatePattern | None, now: datetime) -> PassageFilter:
        """The filter for the service.

        Raises:
            InvalidFilterError: The own range ends before it begins.
        """
        captured_from, captured_until = self._range(now)
        site_id, _, camera_id = self.place.partition("/")
        return PassageFilter(
            captured_from=captured_from,
            captured_until=captured_until,
            site_ids=(site_id,) if site_id and not camera_id else (),
            cameras=(CameraKey(site_id=site_id, camera_id=camera_id),) if camera_id else (),
            directions=(self.direction,) if self.direction is not None else (),
            vehicle_classes=(self.vehicle_class,) if self.vehicle_class is not None else (),
            plate=plate,
        )

    def as_page(self) -> PageRequest:
        """The wanted page.

        Raises:
            CursorInvalidError: The address's cursor was not made here.
        """
        after: PageCursor | None = parse_cursor(self.at) if self.at else None
        return PageRequest(size=PAGE_SIZE, after=after)

    def _range(self, now: datetime) -> tuple[datetime | None, datetime | None]:
        match self.period:
            case Period.ANY:
                return None, None
            case Period.HOUR:
                return now - timedelta(hours=1), None
            case Period.TODAY:
                return start_of_local_day(local_date(now)), None
            case Period.DAY:
                return now - timedelta(days=1), None
            case Period.WEEK:
                return now - timedelta(days=7), None
            case Period.CUSTOM:
                return _instant(self.from_local), _instant(self.to_local)


def parse_plate(text: str) -> PlatePattern | None:
    """What somebody typed into the plate's field; ``None`` for nothing.

    Raises:
        InvalidPlatePatternError: It is too long or holds a foreign character.
    """
    return PlatePattern.parse(text[: PLATE_LENGTH_MAX + 1]) if text.strip() else None


def has_order(query: ListQuery, *, now: datetime) -> bool:
    """Whether the own range begins before it ends."""
    try:
        query.as_filter(plate=None, now=now)
    except InvalidFilterError:
        return False
    return True


def _member(kind: type[Member], text: str) -> Member | None:
    """The member of this value, if there is one."""
    return kind(text) if text in set(kind) else None


def _matching(pattern: re.Pattern[str], text: str) -> str:
    """The text if it looks right, otherwise nothing."""
    return text if pattern.fullmatch(text) else ""


def _place(text: str) -> str:
    """A site or ``site/camera``, otherwise nothing."""
    parts = text.split("/")
    return text if len(parts) <= 2 and all(map(_SLUG.fullmatch, parts)) else ""  # noqa: PLR2004


def _local_text(text: str) -> str:
    """A Vietnam time to the minute as browsers write it, otherwise nothing."""
    instant = _instant(text)
    return instant.astimezone(LOCAL_ZONE).strftime("%Y-%m-%dT%H:%M") if instant else ""


def _instant(local_text: str) -> datetime | None:
    """The instant of a Vietnam time."""
    if not local_text:
        return None
    try:
        local = datetime.fromisoformat(local_text).replace(tzinfo=LOCAL_ZONE)
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
