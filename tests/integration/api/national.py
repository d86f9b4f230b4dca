# SPDX-License-Identifier: AGPL-3.0-or-later
"""A national centre and a province for tests of pages and of handing up."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
from psycopg import AsyncConnection

from central.audit.types import Actor
from central.domain.local_time import local_date, start_of_local_day
from central.identity.permissions import Permission
from central.machines.types import MadeKey
from central.national.service import add_province
from tests.integration.api.world import World

ROW: Final[dict[str, Any]] = {
    "site_id": "cau-gia-bay",
    "passages": 10,
    "plates_read": 9,
    "late": 0,
    "motorcycles": 6,
    "cars": 2,
    "buses": 1,
    "trucks": 1,
}


def bind_province(world: World, code: str, *, name: str) -> MadeKey:
    """Add a province with a program of its own; returns the program's key."""
    program = f"tinh-{code}"
    made = world.add_program(Permission.PUSH_NATIONAL, name=program)

    async def bind() -> None:
        async with await AsyncConnection.connect(world.database_url) as connection:
            await add_province(
                connection,
                code,
                name=name,
                program=program,
                actor=Actor.command("tests"),
                now=datetime.now(UTC),
            )

    with ThreadPoolExecutor(max_workers=1) as executor:
        executor.submit(asyncio.run, bind()).result()
    return made


def hand_up_a_day(world: World, code: str, *, name: str, hours: int) -> None:
    """Add a province that has handed up the first hours, tolls and completeness of yesterday."""
    made = bind_province(world, code, name=name)
    yesterday = local_date(datetime.now(UTC)) - timedelta(days=1)
    revised_at = datetime.now(UTC).isoformat()
    sheets: dict[str, dict[str, Any]] = {
        f"traffic/{hour_text(start_of_local_day(yesterday) + timedelta(hours=hour))}": ROW
        for hour in range(hours)
    } | {
        f"tolls/{yesterday}": {
            "station_id": "tram-01",
            "revision": 1,
            "crossings": 4,
            "charged": 3,
            "charged_dong": 105_000,
        },
        f"completeness/{yesterday}": {
            "revision": 1,
            "due_count": 31,
            "stored_count": 30,
            "gap_count": 1,
        },
    }
    with httpx.Client(
        base_url=f"{world.api_url}/v1/national/{code}/",
        headers={"Authorization": f"Bearer {made.key}"},
    ) as client:
        for place, row in sheets.items():
            answer = client.put(place, json={"revised_at": revised_at, "rows": [row]})
            assert answer.json() == {"outcome": "stored"}, answer.text


def hour_text(hour: datetime) -> str:
    """An hour as an address names it."""
    return hour.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
