# SPDX-License-Identifier: AGPL-3.0-or-later
"""Made traffic of a province as packed rows, a day at a time: what ``bench_search`` loads.

Vehicles drive along roads with a site every few kilometres, so that plates, times and places belong
together; two hours of every working day are rush hours; few vehicles pass daily and most hardly
ever (Zipf); some drive behind each other all the way; a reader takes some characters for others.
A day depends on its number alone.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from central.db.copying import (
    NULL,
    boolean,
    float4,
    float4_array,
    int2,
    int4,
    jsonb,
    microseconds,
    text,
    texts,
)
from central.domain.plate_confusion import CONFUSABLE_GROUPS
from central.ingest.columns import IDENTITY_COLUMNS, PASSAGE_COLUMNS

FIRST_DAY: Final = datetime(2026, 3, 1, 17, tzinfo=UTC)
"""Midnight in Vietnam."""

PASSAGES_PER_DAY: Final = 100_000
ROADS: Final = 6
SITES_PER_ROAD: Final = 10
SITES: Final = ROADS * SITES_PER_ROAD
CAMERAS: Final = ("lan-vao", "lan-ra")
VEHICLES: Final = 400_000
ZIPF: Final = 0.9
ZIPF_BEGIN: Final = 2000
"""Rank of the commonest vehicle: a bus or taxi, with some trips a day and not hundreds."""

HOURS: Final = (
    *(1, 1, 1, 1, 2, 5, 12, 20, 14, 9, 8, 9),
    *(10, 9, 8, 9, 12, 20, 16, 10, 7, 5, 3, 2),
)
"""How much traffic every hour of a working day has beside the others."""

SITES_OF_TRIP: Final = 2.5
CONVOY_SHARE: Final = 0.02
UNREAD_SHARE: Final = 0.05
MISREAD_SHARE: Final = 0.02
_LETTERS: Final = "ABCDEFGHKLMNPSTUVXYZ"
_TAILS: Final = 512
_DAY_US: Final = 86_400_000_000
_HOUR_US: Final = 3_600_000_000
_ROW: Final = struct.Struct("!hiqiq iqi16siqi16siqiqiiiqiiiii?".replace(" ", ""))
_IDENTITY: Final = struct.Struct("!hi16siqiqiq")
IDENTITY_ROW_COLUMNS: Final = IDENTITY_COLUMNS[:4]


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day's passages in the order of their times.

    Attributes:
        times_us: Capture times as the database holds them.
        sites: Number of the site of each.
        vehicles: Number of the vehicle of each.
    """

    times_us: NDArray[np.int64]
    sites: NDArray[np.int64]
    vehicles: NDArray[np.int64]


def site_id(number: int) -> str:
    """Name of a site."""
    return f"nut-{number // SITES_PER_ROAD + 1}-{number % SITES_PER_ROAD + 1:02d}"


@lru_cache(maxsize=1)
def plates() -> tuple[str, ...]:
    """Plate of every vehicle, the commonest first."""
    rng = np.random.default_rng(1)
    letters = rng.integers(0, len(_LETTERS), VEHICLES)
    provinces = rng.choice([20, 29, 30, 19, 88, 99, 12, 15], VEHICLES, p=_PROVINCES)
    numbers = rng.permutation(100_000 * 8)[:VEHICLES] % 100_000
    return tuple(
        f"{province}{_LETTERS[letter]}{number:05d}"
        for province, letter, number in zip(provinces, letters, numbers, strict=True)
    )


def day_of(number: int) -> Day:
    """The traffic of one day."""
    rng = np.random.default_rng(1000 + number)
    trips = int(PASSAGES_PER_DAY / SITES_OF_TRIP)
    lengths = np.minimum(rng.geometric(1 / SITES_OF_TRIP, trips), SITES_PER_ROAD)
    begins = _begin_us(rng, trips, is_weekend=number % 7 in {5, 6})
    vehicles = _vehicles(rng, trips)
    trip = np.repeat(np.arange(trips), lengths)
    step = np.arange(len(trip)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    roads = rng.integers(0, ROADS, trips)
    starts = rng.integers(0, SITES_PER_ROAD, trips)
    way = rng.choice([-1, 1], trips)
    places = (starts[trip] + way[trip] * step) % SITES_PER_ROAD
    drive_us = rng.integers(5 * 60, 15 * 60, len(trip)) * 1_000_000
    since_begin = np.cumsum(drive_us) - np.repeat(
        np.cumsum(drive_us)[np.cumsum(lengths) - lengths], lengths
    )
    times = begins[trip] + since_begin + rng.integers(0, 1_000_000, len(trip))
    sites = roads[trip] * SITES_PER_ROAD + places
    is_led = rng.random(trips)[trip] < CONVOY_SHARE
    behind = rng.integers(3, 40, int(is_led.sum())) * 1_000_000
    all_times = np.concatenate([times, times[is_led] + behind]) % _DAY_US
    order = np.argsort(all_times, kind="stable")
    midnight_us = microseconds(FIRST_DAY + timedelta(days=number))
    return Day(
        times_us=midnight_us + all_times[order],
        sites=np.concatenate([sites, sites[is_led]])[order],
        vehicles=np.concatenate([vehicles[trip], vehicles[trip][is_led] ^ 1])[order],
    )


def packed_rows(day: Day, *, number: int) -> Iterator[tuple[bytes, bytes]]:
    """Rows of ``PASSAGE_COLUMNS`` and of ``IDENTITY_ROW_COLUMNS`` of a day's passages."""
    rng = np.random.default_rng(2000 + number)
    count = len(day.times_us)
    noise = rng.bytes(10 * count)
    chances = rng.random(count)
    tails = rng.integers(0, _TAILS, count)
    places = rng.integers(0, 8, count)
    known = plates()
    boot = bytes(16)
    columns = len(PASSAGE_COLUMNS)
    for row, (at_us, site, vehicle) in enumerate(
        zip(day.times_us.tolist(), day.sites.tolist(), day.vehicles.tolist(), strict=True)
    ):
        made = noise[10 * row : 10 * row + 10]
        stamp = (at_us // 1000 + 946_684_800_000).to_bytes(6, "big")
        key = stamp + bytes([0x70 | made[0] & 15, made[1], 0x80 | made[2] & 63]) + made[3:]
        seq = number * 1_000_000 + row + 1
        head = _ROW.pack(
            *(columns, 8, at_us + 900_000, 8, site + 1),
            *(8, at_us, 16, key, 8, seq, 16, boot, 8, at_us - 400_000, 8, at_us + 500_000),
            *(4, 12, 8, row, 4, 1920, 4, 1080, 1, False),
        )
        tail = _tail(int(tails[row]))
        plate = _plate(known[vehicle], chance=chances[row], place=int(places[row]), behind=tail[1])
        identity = _IDENTITY.pack(4, 16, key, 8, at_us, 8, site + 1, 8, seq)
        yield b"".join((head, _place(site, int(tails[row]) % 8), tail[0], plate)), identity


def _plate(plate: str, *, chance: float, place: int, behind: bytes) -> bytes:
    """Fields of a plate that was read rightly, wrongly or not at all."""
    if chance < UNREAD_SHARE:
        return _UNREAD
    seen = text(misread(plate, place) if chance > 1 - MISREAD_SHARE else plate)
    return seen + seen + behind


def misread(plate: str, place: int) -> str:
    """A plate as a reader that errs at one place reads it."""
    at = place % len(plate)
    groups = [group for group in CONFUSABLE_GROUPS if plate[at] in group]
    others = [other for group in groups for other in group if other != plate[at]]
    return plate[:at] + others[place % len(others)] + plate[at + 1 :] if others else plate


def _vehicles(rng: Generator, count: int) -> NDArray[np.int64]:
    """Numbers of vehicles, low ones often."""
    return np.searchsorted(_popularity(), rng.random(count)).astype(np.int64)


@lru_cache(maxsize=1)
def _popularity() -> NDArray[np.float64]:
    ranks = np.arange(ZIPF_BEGIN, ZIPF_BEGIN + VEHICLES, dtype=np.float64)
    weights = ranks**-ZIPF
    popularity: NDArray[np.float64] = np.cumsum(weights) / weights.sum()
    return popularity


def _begin_us(rng: Generator, count: int, *, is_weekend: bool) -> NDArray[np.int64]:
    """When trips begin, since midnight."""
    weights = np.array(HOURS, dtype=np.float64)
    if is_weekend:
        weights = np.sqrt(weights)  # fewer people at the same hour
    hours = rng.choice(24, count, p=weights / weights.sum())
    return hours.astype(np.int64) * _HOUR_US + rng.integers(0, _HOUR_US, count)


@lru_cache(maxsize=SITES * 8)
def _place(site: int, kind: int) -> bytes:
    """Fields from the device to the vehicle's class."""
    name = site_id(site)
    direction = ("up", "down")[kind % 2]
    vehicle = ("motorcycle", "car", "truck", "bus")[kind // 2]
    return texts(f"{name}-1", name, CAMERAS[kind % 2], direction, "ntp", vehicle)


@lru_cache(maxsize=_TAILS)
def _tail(number: int) -> tuple[bytes, bytes]:
    """Fields between the class and the plate's text, and those behind it."""
    rng = np.random.default_rng(number)
    box, plate_box = (float4_array(rng.uniform(0, 1000, 4).tolist()) for _ in range(2))
    models = jsonb(
        b'[{"name":"vehicle-detector","sha256":"' + b"ab" * 32 + b'"},'
        b'{"name":"plate-reader","sha256":"' + b"cd" * 32 + b'"}]'
    )
    before = (
        int2(number % 3 + 1)
        + float4(float(rng.uniform(0.6, 1)))
        + box
        + models
        + float4(float(rng.uniform(20, 80)))
        + float4(2.5)
    )
    confidences = rng.uniform(0.9, 1, 8)
    behind = (
        float4(float(confidences.prod()))
        + float4_array(confidences.tolist())
        + boolean(value=True)
        + jsonb(b'[{"text":"20A12346","confidence":0.003}]')
        + texts(("one_line", "two_line")[number % 2], ("white", "yellow")[number % 5 == 0])
        + int4(9)
        + plate_box
    )
    return before, behind


_PROVINCES: Final = (0.6, 0.12, 0.1, 0.06, 0.04, 0.04, 0.02, 0.02)
"""Most vehicles are of the province itself."""

_UNREAD: Final = text("") + 9 * NULL
