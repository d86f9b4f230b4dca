# SPDX-License-Identifier: AGPL-3.0-or-later
"""Decides a crossing: a pure function of what was seen and what is registered.

Money moves by itself only when two witnesses agree: the tag names a vehicle, and the camera read
that vehicle's plate. In every other case a person decides, and finds the facts beside the picture.

The order of the checks is the order of the reasons: who is it (tag, account, plate), may it pass
without paying (locked account, priority), what does it owe (group, class, tariff). The balance
comes last and is the ledger's to judge.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from central.contracts.passage import PlateColour
from central.domain.toll_groups import (
    ClassVerdict,
    GroupFound,
    GroupUnknown,
    TollGroupRule,
    TollVehicle,
    compare_class,
    toll_group_of,
)
from central.registry.types import PlateKey, Vehicle, VehicleFacts, VehicleId
from central.tolling.types import (
    AccountState,
    CrossingState,
    Fact,
    FactValue,
    LaneEvent,
    LanePassage,
    LaneTagRead,
    Reason,
    TagBinding,
    Tariff,
)

PLATE_SURE_FROM: Final = 0.8
"""Readings below can't prove that a tag sits on a wrong vehicle. Higher: more crossings are called
an unsure plate, and fewer a wrong tag."""


class PlateVerdict(StrEnum):
    """How the plate that was read compares with the plate of the tag's vehicle."""

    AGREES = "agrees"
    UNSURE = "unsure"
    DIFFERS = "differs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything that is known of one crossing when it is decided.

    Attributes:
        bindings: Accounts that the tag was live on when it was read.
        vehicle: Vehicle of the first binding; ``None`` without one.
        tariffs: Prices in force at the station on the day, by group.
        day: Day in Vietnam of the crossing.
        now: When it is decided: how old the facts are.
    """

    passage: LanePassage
    tag_read: LaneTagRead
    bindings: Sequence[TagBinding]
    vehicle: VehicleFacts | None
    tariffs: Mapping[int, Tariff]
    rules: Sequence[TollGroupRule]
    day: date
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is to become of a crossing, and why.

    ``CHARGED`` means that the price is to be booked; the ledger may still refuse it.

    Attributes:
        tariff: The price that applies; ``None`` where none was looked for or found.
    """

    state: CrossingState
    reason: Reason | None
    account_number: str | None = None
    vehicle_id: VehicleId | None = None
    vehicle_group: int | None = None
    tariff: Tariff | None = None
    facts: tuple[Fact, ...] = ()


def decide(scene: Scene) -> Verdict:
    """What is to become of a crossing whose passage and tag read are both here."""
    return _Case(scene).verdict()


@dataclass(frozen=True, slots=True, kw_only=True)
class HalfScene:
    """What is known of a crossing of which only one event came.

    Attributes:
        bindings: Accounts of the tag, or of the vehicle that bears the plate.
        vehicle: The vehicle if exactly one is named; ``None`` otherwise.
    """

    event: LaneEvent
    bindings: Sequence[TagBinding]
    vehicle: VehicleFacts | None
    rules: Sequence[TollGroupRule]
    day: date
    now: datetime


def decide_half(scene: HalfScene) -> Verdict:
    """A crossing without tag or without passage: nothing is charged, and a person decides.

    Vehicle, account and group are suggestions for that person.
    """
    facts = _Facts(now=scene.now)
    if isinstance(scene.event, LanePassage):
        facts.state_passage(scene.event)
        reason = Reason.NO_TAG
    else:
        facts.state_tag_read(scene.event)
        reason = Reason.NO_PASSAGE
    for binding in scene.bindings:
        facts.state_account(binding)
    group: int | None = None
    if scene.vehicle is not None:
        facts.state_vehicle(scene.vehicle.vehicle)
        measured = toll_vehicle(scene.vehicle.vehicle)
        found = toll_group_of(measured, on=scene.day, rules=scene.rules)
        if isinstance(found, GroupFound):
            facts.state_group(found)
            group = found.group
    accounts = {each.account_number for each in scene.bindings}
    return Verdict(
        state=CrossingState.REVIEW,
        reason=reason,
        account_number=accounts.pop() if len(accounts) == 1 else None,
        vehicle_id=scene.vehicle.vehicle.id if scene.vehicle else None,
        vehicle_group=group,
        facts=facts.stated,
    )


def compare_plate(passage: LanePassage, registered: PlateKey) -> PlateVerdict:
    """Whether a camera read a vehicle's plate.

    The same text in the same or an unknown colour agrees, however unsure the reading was by
    itself: the tag is a second witness. A text that is one character off, that the reader held
    possible, or that was read below ``PLATE_SURE_FROM`` proves nothing either way.
    """
    text = passage.plate_text
    if text == registered.text:
        is_same_colour = passage.plate_colour in {registered.colour, PlateColour.UNKNOWN}
        return PlateVerdict.AGREES if is_same_colour else PlateVerdict.DIFFERS
    is_unsure = (passage.plate_confidence or 0.0) < PLATE_SURE_FROM
    if is_unsure or registered.text in passage.other_readings:
        return PlateVerdict.UNSURE
    return PlateVerdict.UNSURE if is_one_off(text, registered.text) else PlateVerdict.DIFFERS


def is_one_off(read: str, registered: str) -> bool:
    """Whether one character was misread, missed or read twice."""
    if abs(len(read) - len(registered)) > 1:
        return False
    if len(read) == len(registered):
        return sum(a != b for a, b in zip(read, registered, strict=True)) == 1
    longer, shorter = sorted((read, registered), key=len, reverse=True)
    return any(longer[:place] + longer[place + 1 :] == shorter for place in range(len(longer)))


def toll_vehicle(vehicle: Vehicle) -> TollVehicle:
    """What a toll depends on, of a registered vehicle."""
    return TollVehicle(
        kind=vehicle.kind,
        seats=vehicle.seats,
        payload_kg=vehicle.payload_kg,
        container_ft=vehicle.container_ft,
        is_public_bus=vehicle.is_public_bus,
    )


@dataclass(kw_only=True)
class _Facts:
    """Facts as they are met on the way to a decision."""

    now: datetime
    _stated: list[Fact] = field(default_factory=list)

    @property
    def stated(self) -> tuple[Fact, ...]:
        return tuple(self._stated)

    def state(
        self, name: str, value: FactValue, *, source: str, as_of: date | datetime | None
    ) -> None:
        self._stated.append(
            Fact(
                name=name,
                value=value,
                source=source,
                as_of=as_of.isoformat() if as_of is not None else None,
            )
        )

    def state_passage(self, passage: LanePassage) -> None:
        plate = f"{passage.plate_text} {passage.plate_colour}" if passage.plate_text else None
        for name, value in (
            ("plate_read", plate),
            ("plate_confidence", passage.plate_confidence),
            ("class_seen", passage.vehicle_class),
            ("class_confidence", passage.vehicle_confidence),
        ):
            self.state(name, value, source="camera", as_of=passage.captured_at)

    def state_tag_read(self, tag_read: LaneTagRead) -> None:
        self.state("tag_epc", tag_read.epc, source="reader", as_of=tag_read.captured_at)

    def state_account(self, binding: TagBinding) -> None:
        provider = binding.provider
        self.state("account", binding.account_number, source=provider, as_of=binding.valid_from)
        self.state("account_state", binding.account_state, source=provider, as_of=self.now)

    def state_vehicle(self, vehicle: Vehicle) -> None:
        for name, value in (
            ("vehicle_kind", vehicle.kind.value),
            ("seats", vehicle.seats),
            ("payload_kg", vehicle.payload_kg),
            ("container_ft", vehicle.container_ft),
            ("is_public_bus", vehicle.is_public_bus or None),
        ):
            if value is not None:
                self.state(name, value, source=vehicle.origin.source, as_of=vehicle.origin.as_of)

    def state_group(self, found: GroupFound) -> None:
        rule = found.rule
        self.state("toll_group", found.group, source=rule.legal_basis, as_of=rule.valid_from)

    def state_tariff(self, tariff: Tariff) -> None:
        self.state(
            "price_dong", tariff.price_dong, source=tariff.legal_reference, as_of=tariff.valid_from
        )


class _Case:
    """One decision in the making."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.facts = _Facts(now=scene.now)
        self.binding: TagBinding | None = None

    def verdict(self) -> Verdict:
        self.facts.state_passage(self.scene.passage)
        self.facts.state_tag_read(self.scene.tag_read)
        bindings = self.scene.bindings
        for binding in bindings:
            self.facts.state_account(binding)
        if not bindings:
            return self._review(Reason.TAG_UNKNOWN)
        if len({each.account_number for each in bindings}) > 1:
            return self._review(Reason.TAG_ON_TWO_ACCOUNTS)
        if self.scene.vehicle is None:
            raise ValueError("a binding names a vehicle of the registry")
        self.binding = bindings[0]
        return (
            self._about_plate(self.scene.vehicle)
            or self._about_account()
            or self._about_price(self.scene.vehicle.vehicle)
        )

    def _about_plate(self, found: VehicleFacts) -> Verdict | None:
        """Whether the tag sits on its vehicle."""
        origin = found.vehicle.origin
        plate = found.plate
        self.facts.state(
            "plate_registered",
            f"{plate.text} {plate.colour}" if plate else None,
            source=origin.source,
            as_of=origin.as_of,
        )
        if plate is None:
            return self._review(Reason.PLATE_NOT_REGISTERED)
        match compare_plate(self.scene.passage, plate):
            case PlateVerdict.AGREES:
                return None
            case PlateVerdict.UNSURE:
                return self._review(Reason.PLATE_UNSURE)
            case PlateVerdict.DIFFERS:
                return self._review(Reason.WRONG_TAG)

    def _about_account(self) -> Verdict | None:
        """Whether the account pays at all (NĐ 119/2024/NĐ-CP Art. 13, 14 and 18)."""
        if self.binding is None:
            return None
        if self.binding.account_state is not AccountState.OPEN:
            return self._made(CrossingState.REFUSED, Reason.ACCOUNT_LOCKED)
        if self.binding.is_priority:
            return self._made(CrossingState.EXEMPT, Reason.PRIORITY)
        return None

    def _about_price(self, vehicle: Vehicle) -> Verdict:
        """What is owed by the vehicle's group at this station."""
        measured = toll_vehicle(vehicle)
        self.facts.state_vehicle(vehicle)
        found = toll_group_of(measured, on=self.scene.day, rules=self.scene.rules)
        if isinstance(found, GroupUnknown):
            self.facts.state("toll_group", None, source=found.gap, as_of=None)
            return self._review(Reason.GROUP_UNKNOWN)
        self.facts.state_group(found)
        passage = self.scene.passage
        compared = compare_class(
            measured, seen=passage.vehicle_class, confidence=passage.vehicle_confidence
        )
        self.facts.state(
            "class_against_registry", compared, source="luuthong", as_of=self.scene.now
        )
        tariff = self.scene.tariffs.get(found.group)
        if compared is ClassVerdict.DIFFERS:
            return self._review(Reason.CLASS_MISMATCH, group=found.group, tariff=tariff)
        if tariff is None:
            return self._review(Reason.NO_TARIFF, group=found.group)
        self.facts.state_tariff(tariff)
        if tariff.price_dong == 0:
            return self._made(
                CrossingState.EXEMPT, Reason.FREE_OF_CHARGE, group=found.group, tariff=tariff
            )
        return self._made(CrossingState.CHARGED, None, group=found.group, tariff=tariff)

    def _review(
        self, reason: Reason, *, group: int | None = None, tariff: Tariff | None = None
    ) -> Verdict:
        return self._made(CrossingState.REVIEW, reason, group=group, tariff=tariff)

    def _made(
        self,
        state: CrossingState,
        reason: Reason | None,
        *,
        group: int | None = None,
        tariff: Tariff | None = None,
    ) -> Verdict:
        return Verdict(
            state=state,
            reason=reason,
            account_number=self.binding.account_number if self.binding else None,
            vehicle_id=self.binding.vehicle_id if self.binding else None,
            vehicle_group=group,
            tariff=tariff,
            facts=self.facts.stated,
        )
