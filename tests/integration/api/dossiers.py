# SPDX-License-Identifier: AGPL-3.0-or-later
"""Procedures, a truck without a badge, and its dossiers in the served world."""

import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
from psycopg import AsyncConnection

from central.contracts.passage import PlateColour
from central.db.pool import open_pool
from central.documents.development_key import ensure_development_key
from central.documents.types import SigningKey
from central.jobs.context import JobContext
from central.jobs.procedure_tasks import issue_result_document
from central.procedures.rulebook.library import load_procedures
from central.registry.types import VehicleKind
from central.settings import CentralSettings
from tests.integration.api.world import World, delete_rows
from tests.integration.registered import Registered, register_vehicle

PLATE = "20C12345"
PLATE_WORDS = "20C-123.45"
FIRM = "Công ty TNHH Vận tải A"
CLERK_NAME = "Người được Công ty A uỷ quyền"
PHONE = "0262 3000000"
CODE = re.compile(r"H15-[0-9]{6}-[0-9]{4}")
_FORGOTTEN = (
    "dossier",
    "dossier_serial",
    "document",
    "notice",
    "badge",
    "procrastinate_jobs",
    "vehicle",
    "party",
)


@dataclass(frozen=True, kw_only=True)
class DossierWorld:
    """A served world with procedures and a truck on a yellow plate, without a badge."""

    world: World
    truck_id: UUID

    def filled(self, **changes: str) -> dict[str, str]:
        """The form of a badge dossier, filled in rightly."""
        return {
            "vehicle": str(self.truck_id),
            "procedure": "badge",
            "submission_key": f"form-{uuid4()}",
            "channel": "counter",
            "submitted_by": CLERK_NAME,
            "contact_phone": PHONE,
            "field_badge_kind": "goods",
            "field_years": "3",
            "paper_request_form": "original",
            "paper_registration_certificate": "copy",
            **changes,
        }

    def take_in(self, clerk: httpx.Client, **changes: str) -> str:
        """Take a dossier in as the form does; gives its address."""
        answer = clerk.post("/console/dossiers/new", data=self.filled(**changes))
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def make_badge_paper(self, folder: Path) -> None:
        """Do the job that the approval left."""
        key = SigningKey(
            key_file=folder / "key.pem",
            certificate_file=folder / "certificate.pem",
            ca_file=folder / "ca.pem",
        )
        ensure_development_key(key, now=datetime.now(UTC))
        settings = CentralSettings.model_validate(
            {
                "database_url": self.world.database_url,
                "documents": {
                    "signing_key_file": key.key_file,
                    "signing_certificate_file": key.certificate_file,
                    "ca_file": key.ca_file,
                },
            }
        )
        row = self.one("SELECT id FROM dossier ORDER BY received_at DESC LIMIT 1")
        _finished(_make_badge(settings, str(row[0])))

    def move(self, *, due_at: datetime) -> None:
        """Give every dossier another appointment."""
        with psycopg.connect(self.world.owner_url) as rows:
            rows.execute("UPDATE dossier SET due_at = %s, received_at = received_at", [due_at])

    def one(self, query: str, *values: object) -> tuple[Any, ...]:
        """The one row of a query of a test."""
        with psycopg.connect(self.world.owner_url) as rows:
            row = rows.execute(query, values).fetchone()
        assert row is not None, query
        return tuple(row)


@contextmanager
def dossier_world(world: World) -> Iterator[DossierWorld]:
    """Load the procedures and enter the truck; nothing of it stays."""
    _empty(world)
    _finished(_load(world.database_url))
    with psycopg.connect(world.database_url) as connection:
        truck_id = register_vehicle(
            connection,
            Registered(
                plate=PLATE,
                colour=PlateColour.YELLOW,
                kind=VehicleKind.TRUCK,
                inspected_until=datetime.now(UTC).date() + timedelta(days=90),
                as_of=date(2026, 1, 5),
            ),
        )
    yield DossierWorld(world=world, truck_id=truck_id)
    _empty(world)


def code_of(address: str) -> str:
    """The code at the end of a dossier's address."""
    return address.rsplit("/", 1)[-1]


def _empty(world: World) -> None:
    with psycopg.connect(world.owner_url) as connection:
        delete_rows(connection, *_FORGOTTEN)


async def _load(database_url: str) -> None:
    async with await AsyncConnection.connect(database_url) as connection:
        await load_procedures(connection, now=datetime.now(UTC))


async def _make_badge(settings: CentralSettings, dossier_id: str) -> None:
    async with open_pool(settings.database_url) as pool:
        context = JobContext(pool=pool, clock=lambda: datetime.now(UTC), settings=settings)
        await issue_result_document(context, dossier_id=dossier_id)


def _finished(work: Any) -> Any:  # noqa: ANN401  # any coroutine and what it gives
    with ThreadPoolExecutor(max_workers=1) as executor:
        return executor.submit(asyncio.run, work).result()
