# SPDX-License-Identifier: AGPL-3.0-or-later
"""The files with which the story's world is set up, as registers and providers would send them."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from central.domain.vehicles import VehicleKind
from central.registry.importing.types import ImportKind
from central.tolling.setup.types import SetupKind
from deploy.demo.story.cast import FIRMS, Cast, Member, Part

STATION: Final = "tram-trinh-dien"
STATION_NAME: Final = "Trạm thu phí trình diễn, làn ETC"
SITE: Final = "demo-toll"
CAMERA: Final = "demo-toll-cam"
READER: Final = "demo-toll-reader"
LANE: Final = 1
PROVIDER: Final = "vetc"
PRICES_DONG: Final = (35_000, 50_000, 75_000, 120_000, 180_000)
"""Of the five groups; prices that only show how it works, and the file says so."""

BAD_DAY: Final = "31/02/2026"
LICENCE_CLASS: Final = "C"
SUSPENDED: Final = "suspended"

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryFiles:
    """Where the registry's files lie.

    Attributes:
        good: In the order in which they are taken in.
        bad: A file of plates with one row that can't be.
    """

    good: Mapping[ImportKind, Path]
    bad: Path


def write_registry_files(folder: Path, cast: Cast, *, today: date) -> RegistryFiles:
    """Write a file for each kind of record, and one with a bad row."""
    folder.mkdir(parents=True, exist_ok=True)
    tables: Mapping[ImportKind, Sequence[Row]] = {
        ImportKind.PARTIES: _parties(),
        ImportKind.VEHICLES: [_vehicle(each) for each in cast.members.values()],
        ImportKind.PLATES: [_plate(each) for each in cast.members.values()],
        ImportKind.INSPECTIONS: [
            {
                "chassis_number": each.chassis,
                "inspected_until": (today + timedelta(days=200)).isoformat(),
            }
            for each in cast.members.values()
        ],
        ImportKind.TRANSPORT_LICENCES: [
            {"number": f"GPKD-{each.identity}", "holder": each.identity, "valid_from": "2025-01-01"}
            for each in FIRMS
        ],
        ImportKind.BADGES: [
            _badge(cast.members[Part.POOR], "taxi"),
            _badge(cast.members[Part.ABSENT], "goods"),
        ],
        ImportKind.PERMITS: [
            _permit(cast.truck, today=today),
            _ended_permit(cast.members[Part.CLEAN]),
        ],
        ImportKind.DRIVING_LICENCES: _licences(today),
    }
    good = {kind: _write(folder / f"{kind.value}.csv", rows) for kind, rows in tables.items()}
    rows = [dict(each) for each in tables[ImportKind.PLATES]]
    rows[1]["valid_from"] = BAD_DAY
    return RegistryFiles(good=good, bad=_write_as_excel(folder / "plates-bad.csv", rows))


def write_toll_files(folder: Path, cast: Cast) -> Mapping[SetupKind, Path]:
    """Write station, lane, prices, accounts and tags, in the order in which they are taken in."""
    folder.mkdir(parents=True, exist_ok=True)
    members = cast.members.values()
    tables: Mapping[SetupKind, Sequence[Row]] = {
        SetupKind.STATIONS: [
            {"station": STATION, "name": STATION_NAME, "site": SITE, "kind": "open"}
        ],
        SetupKind.LANES: [
            {
                "station": STATION,
                "number": LANE,
                "kind": "open",
                "camera": CAMERA,
                "reader": READER,
            }
        ],
        SetupKind.TARIFFS: [
            {
                "station": STATION,
                "vehicle_group": group,
                "price_dong": price,
                "valid_from": "2026-01-01",
                "legal_reference": "Giá mẫu để trình diễn",
                "confidence": "example",
            }
            for group, price in enumerate(PRICES_DONG, start=1)
        ],
        SetupKind.ACCOUNTS: [
            {
                "account_number": each.account,
                "provider": PROVIDER,
                "holder": each.owner.identity,
                "state": "open",
                "opened_on": "2025-01-01",
            }
            for each in members
        ],
        SetupKind.TAGS: [
            {
                "epc": each.epc,
                "account_number": each.account,
                "chassis_number": each.chassis,
                "valid_from": "2025-01-01",
            }
            for each in members
        ],
    }
    return {kind: _write(folder / f"toll-{kind.value}.csv", rows) for kind, rows in tables.items()}


def driver_of(today: date) -> str:
    """Number of the licence of a driver who may drive the truck."""
    return f"99{today.year}000001"


def suspended_driver_of(today: date) -> str:
    """Number of a licence that was suspended."""
    return f"99{today.year}000002"


def unknown_driver_of(today: date) -> str:
    """Number of a licence that the registry does not know."""
    return f"99{today.year}999999"


def _parties() -> Sequence[Row]:
    return [
        {
            "identity_number": each.identity,
            "kind": "organisation",
            "name": each.name,
            "address": each.address,
        }
        for each in FIRMS
    ]


def _vehicle(member: Member) -> Row:
    is_truck = member.kind is VehicleKind.TRUCK
    return {
        "chassis_number": member.chassis,
        "kind": member.kind.value,
        "owner": member.owner.identity,
        "brand": "Xe mẫu",
        "manufactured_in": 2022,
        "seats": member.seats,
        "payload_kg": "" if member.payload_kg is None else member.payload_kg,
        "gross_mass_kg": 2 * (member.payload_kg or 0) if is_truck else 1_800,
    }


def _plate(member: Member) -> Row:
    return {
        "chassis_number": member.chassis,
        "plate": member.plate,
        "colour": member.colour.value,
        "valid_from": "2024-05-20",
    }


def _badge(member: Member, kind: str) -> Row:
    return {
        "number": f"PH-MAU-{member.plate}",
        "kind": kind,
        "chassis_number": member.chassis,
        "holder": member.owner.identity,
        "valid_from": "2026-01-01",
        "valid_until": "2033-01-01",
    }


def _permit(member: Member, *, today: date) -> Row:
    return {
        "number": f"LV-MAU-{member.plate}",
        "kind": "laos_commercial",
        "chassis_number": member.chassis,
        "holder": member.owner.identity,
        "valid_from": (today - timedelta(days=30)).isoformat(),
        "valid_until": (today + timedelta(days=300)).isoformat(),
        "trip_days_max": 30,
    }


def _ended_permit(member: Member) -> Row:
    return {
        "number": f"LV-MAU-{member.plate}",
        "kind": "laos_non_commercial",
        "chassis_number": member.chassis,
        "holder": member.owner.identity,
        "valid_from": "2026-09-01",
        "valid_until": "2026-10-01",
        "trip_days_max": 30,
    }


def _licences(today: date) -> Sequence[Row]:
    return [
        {
            "number": number,
            "holder_name": f"Người lái xe mẫu {place}",
            "born_on": "1990-01-01",
            "state": state,
            "points": 12,
            "class": LICENCE_CLASS,
            "valid_from": f"{today.year - 1}-01-01",
            "valid_until": f"{today.year + 4}-01-01",
        }
        for place, (number, state) in enumerate(
            ((driver_of(today), "valid"), (suspended_driver_of(today), SUSPENDED)), start=1
        )
    ]


def _write(path: Path, rows: Sequence[Row]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def _write_as_excel(path: Path, rows: Sequence[Row]) -> Path:
    """As a Vietnamese Excel saves it: a byte order mark and semicolons."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(rows)
    return path
