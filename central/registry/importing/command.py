# SPDX-License-Identifier: AGPL-3.0-or-later
"""The command that takes a file into the registry; the local stack's command uses it, too."""

import asyncio
from datetime import date, datetime
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from central.audit.types import Actor
from central.errors import CentralError
from central.registry.importing.service import import_file
from central.registry.importing.types import (
    FileOrigin,
    ImportKind,
    ImportMode,
    ImportReport,
)

EXIT_BAD_ROWS: Final = 2
EXIT_INTERRUPTED: Final = 130
ACTOR: Final = "registry import"


class ImportFileUnreadableError(CentralError):
    """The file is not there, or may not be read."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path.name}: {reason}")
        self.path = path


def run_import(
    info: str,
    path: Path,
    kind: ImportKind,
    *,
    mode: ImportMode,
    source: str | None,
    as_of: date | None,
    now: datetime,
    console: Console,
) -> int:
    """Try a file out, print what is wrong with it, and keep it when that is wanted.

    Args:
        info: How to connect.
        path: The file.
        kind: What it holds.
        mode: Whether it is kept.
        source: Register that the file comes from; ``None`` for the file's name.
        as_of: Day of the data for rows that don't state it.
        now: Aware time of the import.
        console: Where it is printed.

    Returns:
        The exit code: 0, 2 for bad rows, 130 when it was interrupted.

    Raises:
        CentralError: The file as a whole can't be taken in, or the database can't be reached.
    """
    origin = None if as_of is None else FileOrigin(source=source or path.name, as_of=as_of)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task(path.name, total=None)
        try:
            report = asyncio.run(
                import_file(
                    info,
                    path,
                    kind,
                    mode=mode,
                    origin=origin,
                    actor=Actor.command(ACTOR),
                    progress=lambda done, total: bar.update(task, completed=done, total=total),
                    now=now,
                )
            )
        except OSError as error:
            raise ImportFileUnreadableError(path, error.strerror or "unreadable") from error
        except KeyboardInterrupt:
            console.print("Đã dừng, không ghi gì. / Interrupted, nothing was written.")
            return EXIT_INTERRUPTED
    show_report(report, mode=mode, console=console)
    return EXIT_BAD_ROWS if report.problems else 0


def show_report(report: ImportReport, *, mode: ImportMode, console: Console) -> None:
    """Print every bad row, the counts, and what happens now."""
    for each in report.problems:
        where = f"dòng {each.line}" + (f", cột {each.column}" if each.column else "")
        console.print(f"{where}: {each.reason} / {each.reason_en}", markup=False, soft_wrap=True)
    counts = report.counts
    console.print(
        f"{report.file_name}: {report.rows_read} dòng / rows;"
        f" mới / created {counts.created}, đổi / changed {counts.changed},"
        f" không đổi / unchanged {counts.unchanged},"
        f" lỗi / bad {len({each.line for each in report.problems})}",
        markup=False,
        soft_wrap=True,
    )
    console.print(_ending(report, mode), markup=False, soft_wrap=True)


def _ending(report: ImportReport, mode: ImportMode) -> str:
    """What happened in the end."""
    if report.is_applied:
        return "Đã nhập toàn bộ tệp. / The whole file was imported."
    if report.problems:
        return "Không ghi gì: hãy sửa các dòng lỗi. / Nothing was written: mend the bad rows."
    if mode is ImportMode.TRY_OUT:
        return (
            "Chạy thử, chưa ghi gì; thêm --apply để nhập."
            " / A trial, nothing was written; add --apply to import."
        )
    return "Không ghi gì. / Nothing was written."
