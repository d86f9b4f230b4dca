# SPDX-License-Identifier: AGPL-3.0-or-later
"""What guards may look at, and how they say what they found."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from central.procedures.rulebook.definition import Procedure
from central.procedures.types import FactOutcome, RequestValue
from central.registry.types import BorderPermit, PartyId, TransportLicence, VehicleFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What guards may look at.

    Attributes:
        day: Day in Vietnam on which the action is done.
        vehicle: What the registry knows of the vehicle on that day; ``None`` when the procedure
            is not about one.
        taken_in_by: User name; ``None`` while the dossier is being taken in.
        acting: User name of who does the action.
        permits: The vehicle's permits to cross borders, newest first.
        transport_licences: The applicant's licences to do transport business, newest first.
    """

    procedure: Procedure
    day: date
    request: Mapping[str, RequestValue]
    vehicle: VehicleFacts | None
    applicant_id: PartyId
    taken_in_by: str | None
    acting: str
    permits: tuple[BorderPermit, ...]
    transport_licences: tuple[TransportLicence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a guard found, before the procedure says what it means."""

    outcome: FactOutcome
    values: Mapping[str, RequestValue | None]
    source: str | None = None
    as_of: date | None = None


Guard = Callable[[Situation], Finding]

NOTHING_KNOWN: Final = Finding(outcome=FactOutcome.UNKNOWN, values={})


def may_be_renewed(valid_until: date, situation: Situation) -> bool:
    """Whether a paper's end is so near that the next one may be asked for."""
    window = situation.procedure.result.renewal_window_days
    return window is not None and valid_until - situation.day <= timedelta(days=window.value)


def holds(is_so: bool) -> FactOutcome:  # noqa: FBT001  # a truth becomes a word
    """A truth as an outcome."""
    return FactOutcome.HOLDS if is_so else FactOutcome.FAILS


def of_vehicle(
    vehicle: VehicleFacts, outcome: FactOutcome, **values: RequestValue | None
) -> Finding:
    """A finding about the vehicle, with the registry's source and date."""
    origin = vehicle.vehicle.origin
    return Finding(outcome=outcome, values=values, source=origin.source, as_of=origin.as_of)
