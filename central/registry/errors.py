# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the registry can refuse.

::

    CentralError
    └── RegistryError
        ├── VehicleNotFoundError         no vehicle has this id
        ├── VehicleAmbiguousError        the plate's colour is needed to tell vehicles apart
        ├── PartyNotFoundError           no person or organisation has this id
        ├── LicenceNotFoundError         no driving licence has this number
        ├── BadgeNotFoundError           no badge has this id
        ├── BadgeConflictError           a badge overlaps, or the number is taken
        ├── BadgeNotRevocableError       it was revoked before, or had not begun on that day
        ├── PermitConflictError          a permit of the kind overlaps, or the number is taken
        └── VehicleSearchTooWideError    too few letters and digits to search by
"""

from datetime import date
from uuid import UUID

from central.errors import CentralError


class RegistryError(CentralError):
    """Something about vehicles, their owners and their papers."""


class VehicleNotFoundError(RegistryError):
    """No vehicle has this id, or none fits the identifiers.

    Attributes:
        vehicle_id: ``None`` when it was asked for by plate or chassis number, which are personal
            data and are kept out of the message.
    """

    def __init__(self, vehicle_id: UUID | None = None) -> None:
        super().__init__(f"vehicle {vehicle_id or 'of these identifiers'} not found")
        self.vehicle_id = vehicle_id


class VehicleAmbiguousError(RegistryError):
    """Several vehicles bear a plate of this text; its colour tells them apart."""

    def __init__(self) -> None:
        super().__init__("several vehicles bear this text; the plate's colour is needed")


class PartyNotFoundError(RegistryError):
    """No person or organisation has this id."""

    def __init__(self, party_id: UUID) -> None:
        super().__init__(f"party {party_id} not found")
        self.party_id = party_id


class LicenceNotFoundError(RegistryError):
    """No driving licence has this number; the number is kept out of the message."""

    def __init__(self) -> None:
        super().__init__("driving licence not found")


class BadgeNotFoundError(RegistryError):
    """No badge has this id."""

    def __init__(self, badge_id: UUID) -> None:
        super().__init__(f"badge {badge_id} not found")
        self.badge_id = badge_id


class BadgeConflictError(RegistryError):
    """The vehicle has another badge on some of the days, or the number is taken.

    NĐ 158/2024/NĐ-CP Art. 23.2: one kind of badge per vehicle at a time.

    Attributes:
        number: Number of the badge that stands in the way.
        valid_from: Its first day.
        valid_until: First day on which it no longer is valid.
    """

    def __init__(
        self, vehicle_id: UUID, *, number: str, valid_from: date, valid_until: date
    ) -> None:
        super().__init__(f"vehicle {vehicle_id} has a badge from {valid_from} until {valid_until}")
        self.vehicle_id = vehicle_id
        self.number = number
        self.valid_from = valid_from
        self.valid_until = valid_until


class BadgeNotRevocableError(RegistryError):
    """The badge was revoked before, or its days do not include the one asked for."""

    def __init__(self, badge_id: UUID) -> None:
        super().__init__(f"badge {badge_id} can't be revoked on that day")
        self.badge_id = badge_id


class PermitConflictError(RegistryError):
    """The vehicle has a permit of this kind on some of the days, or the number is taken.

    Attributes:
        number: Number of the permit that stands in the way.
        valid_from: Its first day.
        valid_until: First day on which it no longer is valid.
    """

    def __init__(
        self, vehicle_id: UUID, *, number: str, valid_from: date, valid_until: date
    ) -> None:
        super().__init__(f"vehicle {vehicle_id} has a permit from {valid_from} until {valid_until}")
        self.vehicle_id = vehicle_id
        self.number = number
        self.valid_from = valid_from
        self.valid_until = valid_until


class VehicleSearchTooWideError(RegistryError):
    """A search must name some letters and digits: the registry is no list to leaf through."""

    def __init__(self, *, characters_min: int) -> None:
        super().__init__(f"a search for vehicles needs at least {characters_min} characters")
        self.characters_min = characters_min
