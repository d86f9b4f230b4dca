# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the demonstration shows on the terminal."""

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.table import Table

from central.domain.local_time import LOCAL_ZONE
from deploy.demo.results import (
    Comparison,
    EventLedger,
    StoredPassage,
    VehicleResult,
    percentile_s,
)

ROWS_MAX: Final = 60
NOTHING: Final = "-"


def show_vehicles(console: Console, comparison: Comparison) -> None:
    """One line per shown vehicle: what it bore and what was stored."""
    table = Table(title="Shown and stored", title_justify="left", header_style="bold")
    for column in (
        "no.",
        "vehicle",
        "way",
        "plate shown",
        "colour",
        "plate stored",
        "sure",
        "row after",
    ):
        table.add_column(column)
    for vehicle in comparison.vehicles[:ROWS_MAX]:
        table.add_row(*_vehicle_row(vehicle))
    console.print(table)


def show_passages(console: Console, passages: Sequence[StoredPassage]) -> None:
    """The passages of a source whose truth nobody knows."""
    table = Table(title="Stored passages", title_justify="left", header_style="bold")
    for column in ("time", "vehicle", "plate", "sure", "row after"):
        table.add_column(column)
    for passage in passages[:ROWS_MAX]:
        table.add_row(
            f"{passage.captured_at.astimezone(LOCAL_ZONE):%H:%M:%S}",
            passage.vehicle_class or NOTHING,
            passage.plate_text or NOTHING,
            _share(passage.plate_confidence),
            _seconds(passage.delay.total_seconds()),
        )
    console.print(table)
    if len(passages) > ROWS_MAX:
        console.print(f"… and {len(passages) - ROWS_MAX} more; the page shows them all.")


def show_summary(
    console: Console,
    *,
    ledger: EventLedger,
    passages: Sequence[StoredPassage],
    comparison: Comparison | None,
) -> None:
    """The figures of a run."""
    table = Table(title="Result", title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    if comparison is not None:
        table.add_row("vehicles shown", str(len(comparison.vehicles)))
    table.add_row("passages stored", str(len(passages)))
    if comparison is not None:
        table.add_row(
            "plates read right", f"{comparison.right_count} of {len(comparison.vehicles)}"
        )
        table.add_row("vehicles missing", str(comparison.missing_count))
        table.add_row("vehicles doubled", str(comparison.doubled_count))
        table.add_row("passages of no vehicle", str(len(comparison.strays)))
    table.add_row("events made by the device, all runs", str(ledger.made))
    table.add_row("of these waiting in the device", str(ledger.waiting))
    table.add_row("of these lost", str(ledger.lost))
    table.add_row("sent again and stored once", str(ledger.repeated))
    delays = [passage.delay for passage in passages]
    table.add_row("camera to row, p50", _seconds(percentile_s(delays, 0.5)))
    table.add_row("camera to row, p99", _seconds(percentile_s(delays, 0.99)))
    after_sight = [passage.delay_after_sight for passage in passages]
    table.add_row("last sight to row, p50", _seconds(percentile_s(after_sight, 0.5)))
    table.add_row("last sight to row, p99", _seconds(percentile_s(after_sight, 0.99)))
    named = sum(passage.pictures_named for passage in passages)
    stored = sum(passage.pictures_stored for passage in passages)
    table.add_row("evidence pictures stored", f"{stored} of {named}")
    console.print(table)


def show_verdict(console: Console, found: Sequence[str]) -> None:
    """One clear sentence: all well, or what is not."""
    if not found:
        console.print("[green]Nothing was lost and nothing was doubled.[/]")
        return
    console.print("[red]Not everything is well.[/] " + " ".join(found), highlight=False)


def _vehicle_row(vehicle: VehicleResult) -> tuple[str, ...]:
    truth = vehicle.truth
    head = (
        str(truth.number),
        str(truth.vehicle_class),
        str(truth.heading),
        truth.plate_text,
        str(truth.plate_colour),
    )
    if vehicle.is_missing:
        return (*head, "[red]missing[/]", NOTHING, NOTHING)
    colour = "green" if vehicle.is_read_right else "yellow"
    texts = ", ".join(passage.plate_text or NOTHING for passage in vehicle.passages)
    first = vehicle.passages[0]
    return (
        *head,
        f"[{'red' if vehicle.is_doubled else colour}]{texts}[/]",
        _share(first.plate_confidence),
        _seconds(first.delay.total_seconds()),
    )


def _share(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.0%}"


def _seconds(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.2f} s"
