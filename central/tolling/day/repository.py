# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of closed days and providers' files."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, TypeVar
from uuid import UUID, uuid4

from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row
from psycopg.types.json import Jsonb

from central.db.queries import QueryFile
from central.domain.scope import SiteScope
from central.tolling.day.provider_file import PROBLEMS_MAX, ROWS_MAX
from central.tolling.day.rows import (
    DayRow,
    DifferenceRow,
    FiguresRow,
    ForeignRow,
    summary_of,
)
from central.tolling.day.types import (
    DIFFERENCES_MAX,
    Charge,
    CrossingProof,
    DayCursor,
    DayFigures,
    DayKey,
    DayReport,
    Difference,
    ProviderFile,
    ProviderRow,
    StoredFile,
    TollDay,
)

QUERIES: Final = QueryFile.beside(__file__)
PROVIDERS_MAX: Final = 50
REVISIONS_MAX: Final = 100

Row = TypeVar("Row")


class TollDayRepository:
    """Reads and writes on a connection whose transaction belongs to the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def station_name(self, station_id: str, scope: SiteScope) -> str | None:
        """Name of a station that the caller may see."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(
                QUERIES["select_station"], {"station_id": station_id, "scope": scope.as_list()}
            )
            name: str | None = await cursor.fetchone()
        return name

    async def providers(self) -> Sequence[str]:
        """Payment providers that ever topped an account up, by name."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(QUERIES["select_providers"], {"rows_max": PROVIDERS_MAX})
            return await cursor.fetchall()

    async def lock(self, key: DayKey) -> None:
        """Keep others from closing the same day meanwhile."""
        await self._connection.execute(QUERIES["lock_day"], _bound(key))

    async def figures(self, key: DayKey) -> DayFigures:
        """Everything about a day, all of one moment."""
        rows = await self._all(FiguresRow, "select_figures", _bound(key))
        return rows[0].value()

    async def charges(self, key: DayKey, provider: str) -> Sequence[Charge]:
        """What was charged to one provider's accounts."""
        return await self._all(
            Charge,
            "select_charges",
            {**_bound(key), "provider": provider, "rows_max": ROWS_MAX},
        )

    async def foreign(self, key: DayKey, rows: Sequence[ProviderRow]) -> Mapping[UUID, ForeignRow]:
        """Crossings of a file that belong to another station or day; not all when many."""
        found = await self._all(
            ForeignRow,
            "select_foreign",
            {
                **_bound(key),
                "crossing_ids": [row.crossing_id for row in rows],
                "rows_max": PROBLEMS_MAX,
            },
        )
        return {each.crossing_id: each for each in found}

    async def keep_file(self, key: DayKey, file: ProviderFile, *, now: datetime) -> bool:
        """Keep a provider's file; whether it was not kept before."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(
                QUERIES["insert_file"],
                {
                    **_bound(key),
                    "id": uuid4(),
                    "provider": file.provider,
                    "file_name": file.name,
                    "file_sha256": file.sha256,
                    "rows_read": len(file.rows),
                    "now": now,
                },
            )
            file_id: UUID | None = await cursor.fetchone()
        if file_id is None:
            return False
        await self._connection.execute(
            QUERIES["insert_file_rows"],
            {
                "file_id": file_id,
                "lines": [row.line for row in file.rows],
                "crossing_ids": [row.crossing_id for row in file.rows],
                "account_numbers": [row.account_number for row in file.rows],
                "debited_ats": [row.debited_at for row in file.rows],
                "amounts_dong": [row.amount_dong for row in file.rows],
            },
        )
        return True

    async def files(self, key: DayKey) -> Sequence[StoredFile]:
        """The newest file of every provider."""
        return await self._all(
            StoredFile, "select_files", {**_bound(key), "rows_max": PROVIDERS_MAX}
        )

    async def file_rows(self, file_id: UUID) -> Sequence[ProviderRow]:
        """Rows of a kept file, in their order."""
        return await self._all(
            ProviderRow, "select_file_rows", {"file_id": file_id, "rows_max": ROWS_MAX}
        )

    async def add_day(
        self,
        report: DayReport,
        *,
        revision: int,
        files: Sequence[StoredFile],
        closed_by: str,
        now: datetime,
    ) -> UUID:
        """Write down a closed day with its differences; returns its id."""
        day_id, figures = uuid4(), report.figures
        await self._connection.execute(
            QUERIES["insert_day"],
            {
                **_bound(report.key),
                "id": day_id,
                "revision": revision,
                "closed_by": closed_by,
                "now": now,
                "crossings": figures.crossings,
                "charged": figures.charged,
                "charged_dong": figures.charged_dong,
                "ledger_dong": figures.ledger.charged_dong,
                "summary": Jsonb(summary_of(figures, is_over=report.is_over, chain=report.chain)),
                "contents_sha256": figures.contents_sha256,
            },
        )
        await self._connection.execute(
            QUERIES["insert_day_files"],
            {"day_id": day_id, "file_ids": [file.id for file in files]},
        )
        await self._add_differences(day_id, report.differences)
        return day_id

    async def day(self, day_id: UUID, scope: SiteScope) -> TollDay | None:
        """One revision of a closed day that the caller may see."""
        rows = await self._all(DayRow, "select_day", {"day_id": day_id, "scope": scope.as_list()})
        return rows[0].value() if rows else None

    async def revisions(self, key: DayKey, *, limit: int = REVISIONS_MAX) -> Sequence[TollDay]:
        """Revisions of a closed day, newest first."""
        rows = await self._all(DayRow, "select_revisions", {**_bound(key), "rows_max": limit})
        return [row.value() for row in rows]

    async def days(
        self, *, after: DayCursor | None, scope: SiteScope, limit: int
    ) -> Sequence[TollDay]:
        """Newest revisions of closed days that the caller may see, newest day first."""
        rows = await self._all(
            DayRow,
            "select_days",
            {
                "scope": scope.as_list(),
                "after_day": after.day if after else None,
                "after_station": after.station_id if after else None,
                "rows_max": limit,
            },
        )
        return [row.value() for row in rows]

    async def differences(
        self, day_id: UUID, *, limit: int = DIFFERENCES_MAX
    ) -> Sequence[Difference]:
        """Differences of a closed day, in their order."""
        rows = await self._all(
            DifferenceRow, "select_differences", {"day_id": day_id, "rows_max": limit}
        )
        return [row.value() for row in rows]

    async def proof(self) -> CrossingProof:
        """All crossings against the ledger."""
        return (await self._all(CrossingProof, "select_crossing_proof", {}))[0]

    async def _add_differences(self, day_id: UUID, differences: Sequence[Difference]) -> None:
        await self._connection.execute(
            QUERIES["insert_differences"],
            {
                "day_id": day_id,
                "providers": [each.provider for each in differences],
                "kinds": [each.kind.value for each in differences],
                "crossing_ids": [each.crossing_id for each in differences],
                "our_amounts_dong": [each.our_amount_dong for each in differences],
                "their_amounts_dong": [each.their_amount_dong for each in differences],
                "provider_lines": [each.provider_line for each in differences],
            },
        )

    async def _all(
        self, kind: type[Row], query: str, parameters: Mapping[str, object]
    ) -> Sequence[Row]:
        async with self._connection.cursor(row_factory=class_row(kind)) as cursor:
            await cursor.execute(QUERIES[query], parameters)
            return await cursor.fetchall()


def _bound(key: DayKey) -> dict[str, object]:
    """A station's day as parameters of a query."""
    return {"station_id": key.station_id, "day": key.day}
