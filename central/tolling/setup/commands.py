# SPDX-License-Identifier: AGPL-3.0-or-later
"""The commands ``toll import`` and ``toll top-up``."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console

from central.tolling.setup.types import SetupKind

if TYPE_CHECKING:
    from central.ledger.types import Booked
    from central.tolling.setup.types import SetupReport

IMPORT_COMMAND: Final = "toll import"
TOP_UP_COMMAND: Final = "toll top-up"
EXIT_BAD_ROWS: Final = 2

Connect = Callable[[], str]


def add_setup_commands(app: typer.Typer, connect_with: Connect) -> None:
    """Add the commands to the group ``toll``.

    Args:
        app: The group.
        connect_with: Gives the driver's connection string; called by a command only.
    """

    @app.command("import")
    def import_file(
        file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A CSV file.")],
        *,
        kind: Annotated[SetupKind, typer.Option(help="What the file holds.")],
        apply: Annotated[
            bool, typer.Option("--apply", help="Keep it; without, the file is only tried.")
        ] = False,
    ) -> None:
        """Take stations, lanes, tariffs, accounts or tags in: all of a file, or nothing."""
        from central.audit.types import Actor  # noqa: PLC0415
        from central.registry.importing.types import ImportMode  # noqa: PLC0415
        from central.tolling.setup.service import import_setup  # noqa: PLC0415

        report = asyncio.run(
            import_setup(
                connect_with(),
                file,
                kind,
                mode=ImportMode.APPLY if apply else ImportMode.TRY_OUT,
                actor=Actor.command(IMPORT_COMMAND),
                now=datetime.now(UTC),
            )
        )
        _show(Console(soft_wrap=True, highlight=False), report, name=file.name)
        if report.problems:
            raise typer.Exit(EXIT_BAD_ROWS)

    @app.command("top-up")
    def top_up(
        account: Annotated[str, typer.Argument(help="Number of the traffic account.")],
        amount: Annotated[int, typer.Argument(min=1, help="Whole đồng.")],
        *,
        key: Annotated[
            str, typer.Option(help="The provider's number of the payment: booked once.")
        ],
    ) -> None:
        """Put money on a traffic account, once per key."""
        booked = asyncio.run(_top_up(connect_with(), account, amount, key=key))
        said = "đã ghi trước đó / booked before" if booked.is_repeat else "đã ghi sổ / booked"
        Console(soft_wrap=True, highlight=False).print(f"bút toán / entry {booked.id}: {said}")


async def _top_up(info: str, account: str, amount: int, *, key: str) -> "Booked":
    from psycopg import AsyncConnection  # noqa: PLC0415

    from central.audit.types import Actor  # noqa: PLC0415
    from central.tolling.setup.service import TopUpService  # noqa: PLC0415

    async with await AsyncConnection.connect(info) as connection:
        return await TopUpService(connection).top_up(
            account, amount, key=key, actor=Actor.command(TOP_UP_COMMAND), now=datetime.now(UTC)
        )


def _show(console: Console, report: "SetupReport", *, name: str) -> None:
    """Print every bad row, the counts, and what happened."""
    for each in report.problems:
        where = f"dòng {each.line}" + (f", cột {each.column}" if each.column else "")
        console.print(f"{where}: {each.reason} / {each.reason_en}", markup=False)
    console.print(
        f"{name}: {report.rows_read} dòng / rows; mới / created {report.created},"
        f" đã có / known {report.known}, lỗi / bad {len({p.line for p in report.problems})}",
        markup=False,
    )
    if report.is_applied:
        console.print("Đã nhập toàn bộ tệp. / The whole file was imported.")
    elif report.problems:
        console.print("Không ghi gì: hãy sửa các dòng lỗi. / Nothing was written: mend the rows.")
    else:
        console.print("Chạy thử, chưa ghi gì; thêm --apply để nhập. / A trial; add --apply.")
