# SPDX-License-Identifier: AGPL-3.0-or-later
"""What tolling can refuse.

::

    CentralError
    └── TollingError
        ├── CrossingNotFoundError      no crossing has this id, or the caller may not see it
        ├── CrossingNotInReviewError   somebody decided it before, or nobody has to
        ├── CrossingNotChargedError    nothing was charged that could be given back
        ├── AlreadyRefundedError       the charge was given back before
        ├── TollAccountNotFoundError   no traffic account has this number
        ├── TollAccountLockedError     the traffic account is locked or closed
        └── TariffMissingError         no price is in force for the group at the station
"""

from datetime import date
from uuid import UUID

from central.errors import CentralError


class TollingError(CentralError):
    """Something about toll crossings, accounts and tariffs."""


class CrossingNotFoundError(TollingError):
    """No crossing has this id, or the caller may not see its station."""

    def __init__(self, crossing_id: UUID) -> None:
        super().__init__(f"toll crossing {crossing_id} not found")
        self.crossing_id = crossing_id


class CrossingNotInReviewError(TollingError):
    """The crossing waits for nobody's decision."""

    def __init__(self, crossing_id: UUID, *, state: str) -> None:
        super().__init__(f"toll crossing {crossing_id} is {state}, not in review")
        self.crossing_id = crossing_id
        self.state = state


class CrossingNotChargedError(TollingError):
    """Nothing was charged for this crossing that could be given back."""

    def __init__(self, crossing_id: UUID, *, state: str) -> None:
        super().__init__(f"toll crossing {crossing_id} is {state}, not charged")
        self.crossing_id = crossing_id
        self.state = state


class AlreadyRefundedError(TollingError):
    """The crossing's charge was given back before."""

    def __init__(self, crossing_id: UUID) -> None:
        super().__init__(f"the charge of toll crossing {crossing_id} was given back before")
        self.crossing_id = crossing_id


class TollAccountNotFoundError(TollingError):
    """No traffic account has this number; the number is kept out of the message."""

    def __init__(self) -> None:
        super().__init__("no traffic account has this number")


class TollAccountLockedError(TollingError):
    """The traffic account is locked or closed (NĐ 119/2024/NĐ-CP Art. 13 and 14)."""

    def __init__(self, *, state: str) -> None:
        super().__init__(f"the traffic account is {state}")
        self.state = state


class TariffMissingError(TollingError):
    """No price is in force for a group at a station on a day."""

    def __init__(self, station_id: str, *, vehicle_group: int, day: date) -> None:
        super().__init__(f"station {station_id} has no price for group {vehicle_group} on {day}")
        self.station_id = station_id
        self.vehicle_group = vehicle_group
        self.day = day
