# SPDX-License-Identifier: AGPL-3.0-or-later
"""The clock of a dossier: it stands still while a supplement is awaited (one-stop rules)."""

from datetime import datetime
from typing import Final

from central.domain.working_time import WorkingCalendar
from central.procedures.rulebook.definition import Procedure
from central.procedures.types import Dossier, Fact, FactOutcome

NOTICE_FACT: Final = "supplement_notice_in_time"
FIRST_FACT: Final = "first_supplement"
_INDEX_BASIS: Final = "QĐ 766/QĐ-TTg, chỉ số 2.1"


def stopped_with(calendar: WorkingCalendar, *, due_at: datetime, now: datetime) -> int:
    """Working minutes that are left when the clock stops; 0 after the appointment.

    A part of a minute is left out, so the authority never gains by stopping.

    Raises:
        CalendarNotCoveredError: The calendar says nothing about a day between.
    """
    return calendar.working_minutes_between(now, due_at) if now < due_at else 0


def running_until(
    calendar: WorkingCalendar, *, due_at: datetime, remaining_minutes: int, now: datetime
) -> datetime:
    """The appointment when the clock runs again; a missed one stays as it was missed.

    Raises:
        CalendarNotCoveredError: The calendar ends before.
    """
    if remaining_minutes == 0:
        return due_at
    return calendar.add_working_time(now, minutes=remaining_minutes)


def supplement_facts(
    calendar: WorkingCalendar, dossier: Dossier, procedure: Procedure, *, now: datetime
) -> tuple[Fact, ...]:
    """Whether a request for a supplement comes in time, and for the first time; neither stops it.

    Raises:
        CalendarNotCoveredError: The calendar says nothing about the day until which to ask.
    """
    notice = procedure.supplement_notice_days
    ask_until = calendar.add_working_days(dossier.received_at, days=notice.value)
    is_first = dossier.supplements == 0
    is_in_time = not is_first or now <= ask_until
    return (
        Fact(
            name=NOTICE_FACT,
            outcome=FactOutcome.HOLDS if is_in_time else FactOutcome.FAILS,
            values={"ask_until": ask_until.isoformat(), "working_days": notice.value},
            is_obstacle=False,
            source=None,
            as_of=None,
            legal_basis=notice.source,
        ),
        Fact(
            name=FIRST_FACT,
            outcome=FactOutcome.HOLDS if is_first else FactOutcome.FAILS,
            values={"supplements": dossier.supplements + 1},
            is_obstacle=False,
            source=None,
            as_of=None,
            legal_basis=_INDEX_BASIS,
        ),
    )
