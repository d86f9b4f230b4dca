# SPDX-License-Identifier: AGPL-3.0-or-later
"""Words about vehicles and drivers that rules and registry share."""

from enum import StrEnum


class VehicleKind(StrEnum):
    """Kind of vehicle by its registration."""

    CAR = "car"
    BUS = "bus"
    TRUCK = "truck"
    TRACTOR = "tractor"
    TRAILER = "trailer"
    MOTORCYCLE = "motorcycle"
    FOUR_WHEELER = "four_wheeler"
    SPECIAL_MACHINE = "special_machine"


class LicenceState(StrEnum):
    """State of a driving licence."""

    VALID = "valid"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
