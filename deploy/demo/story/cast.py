# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who plays in the story: invented firms, vehicles, accounts and tags.

A badge that was granted holds for years, so every run brings a truck of its own: another chassis,
another plate. The cars stay the same from run to run. Numbers are made so that they can belong to
nobody: tax codes begin with 99, which no office gives out, chassis numbers begin with LTDEMO.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from central.contracts.passage import PlateColour
from central.domain.vehicles import VehicleKind
from models.datasets.synth.plates import PlateSpec
from models.datasets.synth.road.lane import LaneVehicle
from models.runtime.values import PlateColour as ShownColour
from models.runtime.values import PlateLayout, VehicleClass

FIRST_TRUCK_NUMBER: Final = 21_356
TRUCK_STEP: Final = 7_919
"""A prime that does not divide ``NUMBERS``: a truck's number comes back after that many runs."""

REDRAW_STEP: Final = 10_007
NUMBERS: Final = 100_000
TRUCK_SERIES: Final = "47C"
TRUCK_PRICE_GROUP: Final = 3
OPENING_BALANCE_DONG: Final = 500_000


class Part(StrEnum):
    """What a vehicle is in the story for."""

    TRUCK = "truck"
    """Yellow plate and no badge, until it gets one."""
    SWAPPED = "swapped"
    """A car with another vehicle's tag on its windscreen."""
    WATCHED = "watched"
    """A car that somebody looks for."""
    CLEAN = "clean"
    """Nothing is wrong with it."""
    POOR = "poor"
    """A taxi with a badge, and too little money on its account."""
    ABSENT = "absent"
    """A truck that does not come; its tag does."""


LANE_ORDER: Final = (Part.TRUCK, Part.SWAPPED, Part.WATCHED, Part.CLEAN, Part.POOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Firm:
    """An invented firm.

    Attributes:
        identity: Tax code.
    """

    identity: str
    name: str
    address: str


FIRMS: Final = (
    Firm(
        identity="9900000011",
        name="Công ty TNHH Vận tải A",
        address="Số 1 đường Mẫu, Đắk Lắk",
    ),
    Firm(identity="9900000022", name="Công ty TNHH Vận tải B", address="Số 2 đường Mẫu, Đắk Lắk"),
    Firm(identity="9900000033", name="Công ty Cổ phần Mẫu C", address="Số 3 đường Mẫu, Đắk Lắk"),
)
_FIRM_A, _FIRM_B, _FIRM_C = FIRMS


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A vehicle of the story with its papers and its account.

    Attributes:
        epc: Tag on its windscreen, as it is registered.
        tag_of: Whose tag it carries in truth; ``None`` for its own.
    """

    part: Part
    plate: str
    colour: PlateColour
    kind: VehicleKind
    owner: Firm
    seats: int
    payload_kg: int | None
    balance_dong: int
    tag_of: Part | None = None

    @property
    def chassis(self) -> str:
        """Chassis number, made of the plate: another plate is another vehicle."""
        return f"LTDEMO{self.colour.value[0].upper()}{self.plate}"

    @property
    def account(self) -> str:
        """Number of the traffic account."""
        return f"TK-{self.colour.value[0].upper()}{self.plate}"

    @property
    def epc(self) -> str:
        """Code of the tag: 12 bytes, so EPC-96."""
        return f"E280{self.colour.value.encode()[0]:02X}{self.plate.encode().hex().upper():0>18}"

    def shown(self) -> LaneVehicle:
        """How it looks in the lane."""
        is_truck = self.kind is VehicleKind.TRUCK
        is_yellow = self.colour is PlateColour.YELLOW
        return LaneVehicle(
            vehicle_class=VehicleClass.TRUCK if is_truck else VehicleClass.CAR,
            plate=PlateSpec(
                text=self.plate,
                layout=PlateLayout.TWO_LINE if is_truck else PlateLayout.ONE_LINE,
                colour=ShownColour.YELLOW if is_yellow else ShownColour.WHITE,
                format_id="car_business_5" if is_yellow else "car_private_5",
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """The vehicles of one run.

    Attributes:
        run: Number of the run on this stack, from 1.
    """

    run: int
    members: Mapping[Part, Member]

    @property
    def truck(self) -> Member:
        """The vehicle whose story it is."""
        return self.members[Part.TRUCK]

    def in_lane(self) -> Sequence[Member]:
        """Those that drive through the lane, in order."""
        return [self.members[part] for part in LANE_ORDER]

    def tag_carried_by(self, member: Member) -> str:
        """The code that answers when a vehicle passes."""
        return self.members[member.tag_of or member.part].epc


def draw_cast(run: int, redrawn: Mapping[Part, int] = MappingProxyType({})) -> Cast:
    """The vehicles of a run.

    Args:
        run: From 1.
        redrawn: How often a vehicle got another plate because the reader missed its last one.
    """
    return Cast(
        run=run,
        members=MappingProxyType(
            {each.part: each for each in _members(run, lambda part: redrawn.get(part, 0))}
        ),
    )


def _members(run: int, redrawn: Callable[[Part], int]) -> Sequence[Member]:
    return (
        Member(
            part=Part.TRUCK,
            plate=_numbered(
                (TRUCK_SERIES,),
                FIRST_TRUCK_NUMBER + (run - 1) * TRUCK_STEP,
                redrawn(Part.TRUCK),
            ),
            colour=PlateColour.YELLOW,
            kind=VehicleKind.TRUCK,
            owner=_FIRM_A,
            seats=3,
            payload_kg=8_000,
            balance_dong=OPENING_BALANCE_DONG,
        ),
        _car(
            Part.SWAPPED, ("48A", "47A", "47K"), 48_169, redrawn, owner=_FIRM_B, tag_of=Part.ABSENT
        ),
        _car(Part.WATCHED, ("72A", "51K", "49H"), 80_291, redrawn, owner=_FIRM_C),
        _car(Part.CLEAN, ("48A", "79A", "47K"), 55_091, redrawn, owner=_FIRM_C),
        _car(
            Part.POOR,
            ("47H", "48H", "47E"),
            62_843,
            redrawn,
            owner=_FIRM_B,
            colour=PlateColour.YELLOW,
            balance_dong=20_000,
        ),
        Member(
            part=Part.ABSENT,
            plate="81C19475",
            colour=PlateColour.YELLOW,
            kind=VehicleKind.TRUCK,
            owner=_FIRM_B,
            seats=3,
            payload_kg=15_000,
            balance_dong=OPENING_BALANCE_DONG,
        ),
    )


def _car(
    part: Part,
    series: Sequence[str],
    number: int,
    redrawn: Callable[[Part], int],
    *,
    owner: Firm,
    colour: PlateColour = PlateColour.WHITE,
    balance_dong: int = OPENING_BALANCE_DONG,
    tag_of: Part | None = None,
) -> Member:
    """A car with five seats."""
    return Member(
        part=part,
        plate=_numbered(series, number, redrawn(part)),
        colour=colour,
        kind=VehicleKind.CAR,
        owner=owner,
        seats=5,
        payload_kg=None,
        balance_dong=balance_dong,
        tag_of=tag_of,
    )


def _numbered(series: Sequence[str], number: int, redrawn: int) -> str:
    """A plate, another one for every time it is drawn again.

    The series changes with the number: what the reader misses may as well stand in its letters.
    """
    return f"{series[redrawn % len(series)]}{(number + redrawn * REDRAW_STEP) % NUMBERS:05d}"
