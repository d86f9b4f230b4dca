# SPDX-License-Identifier: AGPL-3.0-or-later
"""Takes a file into the registry as a whole, or tries out what that would do."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from psycopg import AsyncConnection

from central.audit.service import AuditService
from central.audit.types import Actor, AuditEntry
from central.domain.local_time import local_date
from central.registry.importing.checks.repository import CheckRepository
from central.registry.importing.parsing import known_columns, parse_table
from central.registry.importing.reading import read_table
from central.registry.importing.repository import ImportRepository
from central.registry.importing.types import (
    FileOrigin,
    ImportKind,
    ImportMode,
    ImportReport,
    ParsedRow,
    Progress,
    RowCounts,
    RowProblem,
)

ROWS_MAX: Final = 1_000_000
"""Most rows of one file."""

ROWS_AT_ONCE: Final = 5_000
"""Rows between two reports of progress. Higher: faster by little, and later to be interrupted."""


async def import_file(
    info: str,
    path: Path,
    kind: ImportKind,
    *,
    mode: ImportMode,
    origin: FileOrigin | None,
    actor: Actor,
    progress: Progress,
    now: datetime,
) -> ImportReport:
    """Try a file out, and keep it when that is wanted and every row is good.

    The trial writes everything in a transaction and takes it back, so that what it reports is what
    would be. Interrupted at any moment, nothing is kept.

    Args:
        info: How to connect.
        path: The file.
        kind: What it holds.
        mode: Whether it is kept.
        origin: Source and day of rows that don't state them; ``None`` when the file does.
        actor: Who takes it in.
        progress: Told from time to time.
        now: Aware time of the import.

    Returns:
        What became of the rows. With a problem nothing is kept, whatever the mode.

    Raises:
        OSError: The file can't be read.
        ImportFileError: The file as a whole is no table of this kind.
    """
    async with await AsyncConnection.connect(info) as connection:
        service = ImportService(connection)
        report = await service.take_in(
            path, kind, mode=mode, origin=origin, actor=actor, progress=progress, now=now
        )
        if not report.is_applied:
            await connection.rollback()
    return report


class ImportService:
    """Takes files in, in the caller's transaction, which the caller rolls back after a trial."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._rows = ImportRepository(connection)
        self._checks = CheckRepository(connection)
        self._audit = AuditService(connection)

    async def take_in(
        self,
        path: Path,
        kind: ImportKind,
        *,
        mode: ImportMode,
        origin: FileOrigin | None,
        actor: Actor,
        progress: Progress,
        now: datetime,
    ) -> ImportReport:
        """Write the good rows and report; the caller keeps them only if ``is_applied``."""
        table = await asyncio.to_thread(
            read_table, path, known_columns=known_columns(kind), rows_max=ROWS_MAX
        )
        parsed = await asyncio.to_thread(
            parse_table, table, kind, origin=origin, today=local_date(now)
        )
        await self._rows.take_rows(parsed.rows)
        refused = await self._checks.before(kind)
        bad_lines = {each.line for each in refused}
        await self._rows.leave_out(bad_lines)
        good = [row for row in parsed.rows if row.line not in bad_lines]
        await self._rows.allow_overlaps()
        counts = await self._write(kind, good, progress=progress, now=now)
        overlapping = await self._checks.overlaps(kind)
        problems = _ordered([*parsed.problems, *refused, *overlapping])
        report = ImportReport(
            kind=kind,
            file_name=path.name,
            file_sha256=table.sha256.hex(),
            rows_read=len(table.rows),
            counts=counts,
            problems=problems,
            is_applied=mode is ImportMode.APPLY and not problems,
        )
        if report.is_applied:
            await self._rows.forbid_overlaps()
            await self._write_down(report, actor=actor, now=now)
        return report

    async def _write(
        self, kind: ImportKind, rows: Sequence[ParsedRow], *, progress: Progress, now: datetime
    ) -> RowCounts:
        """Write rows by portions, so that somebody can see how far it is."""
        compared = RowCounts()
        if kind is ImportKind.DRIVING_LICENCES:
            compared = await self._rows.compare_driving_licences()
        created = changed = 0
        progress(0, len(rows))
        for start in range(0, len(rows), ROWS_AT_ONCE):
            portion = rows[start : start + ROWS_AT_ONCE]
            new, other = await self._rows.write(
                kind, first_line=portion[0].line, last_line=portion[-1].line, now=now
            )
            created, changed = created + new, changed + other
            progress(start + len(portion), len(rows))
        if kind is ImportKind.DRIVING_LICENCES:
            return compared
        return RowCounts(created=created, changed=changed, unchanged=len(rows) - created - changed)

    async def _write_down(self, report: ImportReport, *, actor: Actor, now: datetime) -> None:
        """Enter the import in its own table and in the audit log."""
        import_id = await self._rows.add_import(
            {
                "kind": report.kind.word,
                "file_name": report.file_name,
                "file_sha256": bytes.fromhex(report.file_sha256),
                "rows_read": report.rows_read,
                "rows_created": report.counts.created,
                "rows_changed": report.counts.changed,
                "rows_unchanged": report.counts.unchanged,
                "imported_by": actor.name,
                "now": now,
            }
        )
        await self._audit.record(
            AuditEntry(
                occurred_at=now,
                actor=actor,
                action="registry_imported",
                subject_kind="registry_import",
                subject_id=import_id,
                detail={
                    "kind": report.kind.word,
                    "file_sha256": report.file_sha256,
                    "rows_read": report.rows_read,
                    "rows_created": report.counts.created,
                    "rows_changed": report.counts.changed,
                },
            )
        )


def _ordered(problems: Sequence[RowProblem]) -> tuple[RowProblem, ...]:
    """Problems as somebody reads a file: by line, each once."""
    unique = dict.fromkeys(problems)
    return tuple(sorted(unique, key=lambda each: (each.line, each.column)))
