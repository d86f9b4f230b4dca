# SPDX-License-Identifier: AGPL-3.0-or-later
"""The official calendar as its files state it: days, office hours, and how sure each is."""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import ClassVar, Final

import yaml
from pydantic import ConfigDict, TypeAdapter, ValidationError

from central.domain.legal import Confidence
from central.domain.working_time import OfficeHours, OfficeSpan, WorkingCalendar

LAW_FOLDER: Final = Path(__file__).with_name("law")
FILE_PATTERN: Final = "calendar-v*.yaml"
DAYS_MAX: Final = 2000
_VERSION: Final = re.compile(r"calendar-v([1-9][0-9]{0,3})\.yaml")


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedSpan:
    """Office hours without a break, as they are written."""

    opens_at: time
    closes_at: time


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedHours:
    """Office hours from a day on, and where they come from."""

    valid_from: date
    spans: tuple[StatedSpan, ...]
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedDay:
    """A day that differs from "Monday to Friday", and where that comes from."""

    day: date
    is_working: bool
    name_vi: str
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedCalendar:
    """One version of the calendar with its sources.

    Attributes:
        covers_until: First day about which it says nothing.
        days: In the order of the file, each day once.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    version: int
    covers_from: date
    covers_until: date
    source: str
    confidence: Confidence
    office_hours: tuple[StatedHours, ...]
    days: tuple[StatedDay, ...]

    def calendar(self) -> WorkingCalendar:
        """The calendar to count with.

        Raises:
            ValueError: Days lie outside, or office hours do not make a day.
        """
        return WorkingCalendar(
            version=self.version,
            covers_from=self.covers_from,
            covers_until=self.covers_until,
            exceptions={each.day: each.is_working for each in self.days},
            hours=tuple(
                OfficeHours(
                    valid_from=each.valid_from,
                    spans=tuple(
                        OfficeSpan(opens_at=span.opens_at, closes_at=span.closes_at)
                        for span in each.spans
                    ),
                )
                for each in self.office_hours
            ),
        )


_FILE: Final = TypeAdapter(StatedCalendar)


def calendar_files(folder: Path = LAW_FOLDER) -> tuple[Path, ...]:
    """The calendar's files, oldest version first."""
    return tuple(sorted(folder.glob(FILE_PATTERN), key=_file_version))


def calendar_tree(text: str) -> object:
    """What stands in a calendar's file; comments are no part of it.

    Every scalar stays text, so that a wrong date is found by the check and named with its place.

    Raises:
        ValueError: It is not YAML.
    """
    try:
        return yaml.load(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        raise ValueError("not YAML") from error


def parse_calendar(text: str, *, file_name: str) -> StatedCalendar:
    """Read a calendar from the text of its file.

    Raises:
        ValueError: The text is no calendar: every problem in one message.
    """
    try:
        stated = _FILE.validate_python(calendar_tree(text))
    except ValidationError as error:
        problems = (
            f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}"
            for each in error.errors(include_url=False, include_input=False)
        )
        raise ValueError("; ".join(problems)) from error
    found = _VERSION.fullmatch(file_name)
    if found is None or int(found[1]) != stated.version:
        raise ValueError(f"version {stated.version} must stand in its own file")
    if len(stated.days) > DAYS_MAX:
        raise ValueError(f"more than {DAYS_MAX} days")
    twice = [str(day) for day, n in Counter(each.day for each in stated.days).items() if n > 1]
    if twice:
        raise ValueError(f"days stand twice: {', '.join(twice)}")
    stated.calendar()
    return stated


def _file_version(path: Path) -> int:
    found = _VERSION.fullmatch(path.name)
    return int(found[1]) if found else 0
