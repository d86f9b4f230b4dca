# SPDX-License-Identifier: AGPL-3.0-or-later
"""A day and a proof in a terminal."""

from collections.abc import Iterator
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from central.domain.money import dong_text
from central.ledger.types import LedgerProof
from central.tolling.day.types import Closed, CrossingProof, DayReport, Difference, DifferenceKind

DIFFERENCES_SHOWN: Final = 50
BREAKS_SHOWN: Final = 10

_STATES: Final = {
    "charged": "charged",
    "exempt": "exempt, nothing to pay",
    "waived": "waived by a person",
    "refused": "refused",
    "review": "waiting for a person's decision",
    "waiting": "waiting for the camera or the tag",
}
_KINDS: Final = {
    DifferenceKind.MISSING_AT_PROVIDER: "charged here, missing in the provider's file",
    DifferenceKind.MISSING_HERE: "debited by the provider, not charged here",
    DifferenceKind.AMOUNT_DIFFERS: "amounts differ",
    DifferenceKind.ACCOUNT_DIFFERS: "accounts differ",
    DifferenceKind.DOUBLED: "debited more than once by the provider",
}


def print_closed(console: Console, closed: Closed) -> None:
    """A closed day: its report and which revision it is."""
    print_report(console, closed.report)
    day = closed.day
    state = "closed" if closed.is_new else "was closed before with the same contents"
    partly = "" if day.is_over else ", the day so far"
    console.print(f"[bold]Revision {day.revision}[/] {state}{partly}. Id {day.id}")


def print_report(console: Console, report: DayReport) -> None:
    """A day with its sums and differences."""
    figures = report.figures
    so_far = "" if report.is_over else " (so far: the day is not over)"
    console.print(
        f"[bold]{escape(report.station_name)}[/] ({report.key.station_id}),"
        f" {report.key.day}, 00:00 to 24:00 in Vietnam{so_far}"
    )
    console.print(_crossings(report))
    if figures.by_group:
        console.print(_groups(report))
    ledger = figures.ledger
    mark = "[green]equal[/]" if figures.is_balanced else "[bold red]NOT EQUAL[/]"
    console.print(
        f"Charged by crossings {dong_text(figures.charged_dong)},"
        f" booked on the station's revenue account {dong_text(ledger.charged_dong)}: {mark}"
    )
    if ledger.corrected_dong:
        console.print(f"Corrected or refunded on this day: {dong_text(ledger.corrected_dong)}")
    if ledger.mismatches:
        console.print(f"[red]{ledger.mismatches} charges disagree with the ledger[/]")
    console.print(f"Reviews left open: {figures.open_reviews}; still waiting: {figures.waiting}")
    _print_providers(console, report)
    console.print(f"End of the ledger's chain: {report.chain.position}:{report.chain.hash}")


def proof_lines(ledger: LedgerProof, crossings: CrossingProof) -> Iterator[tuple[bool, str]]:
    """Each invariant in words, and whether it holds."""
    totals = ledger.totals
    total = dong_text(totals.total_dong)
    yield (
        totals.total_dong == 0,
        f"{totals.postings} postings on {totals.accounts} accounts sum to {total}",
    )
    yield (
        totals.unbalanced == 0,
        f"{totals.unbalanced} of {totals.entries} entries do not balance",
    )
    yield totals.overdrawn == 0, f"{totals.overdrawn} traffic accounts are below zero"
    yield (
        totals.overcorrected == 0,
        f"{totals.overcorrected} entries were corrected by more than they moved",
    )
    yield (
        ledger.breaks_count == 0,
        f"{totals.sealed} sealed entries: {ledger.breaks_count} changed, missing or inserted",
    )
    yield (
        totals.overdue == 0,
        f"{totals.unsealed} entries wait for their seal, {totals.overdue} for too long",
    )
    yield (
        crossings.without_entry == 0,
        f"{crossings.without_entry} of {crossings.charged} charges differ from their ledger entry",
    )
    yield (
        crossings.without_crossing == 0,
        f"{crossings.without_crossing} toll charges in the ledger have no crossing",
    )
    yield (
        crossings.broken_anchors == 0,
        f"{crossings.broken_anchors} closed days name an end of the chain that is gone",
    )


def print_proof(console: Console, ledger: LedgerProof, crossings: CrossingProof) -> None:
    """The proof, an invariant a line."""
    for holds, words in proof_lines(ledger, crossings):
        console.print(f"[green]✓[/] {words}" if holds else f"[bold red]✗ {words}[/]")
    for each in ledger.breaks[:BREAKS_SHOWN]:
        console.print(f"  [red]place {each.position}, entry {each.entry_id}: {each.fault}[/]")
    if ledger.breaks_count > BREAKS_SHOWN:
        console.print(f"  [red]and {ledger.breaks_count - BREAKS_SHOWN} more[/]")
    console.print(f"End of the chain: {ledger.chain_position}:{ledger.chain_hash}")


def _crossings(report: DayReport) -> Table:
    """Crossings by state and reason."""
    figures = report.figures
    table = Table("crossings", "number", title_justify="left")
    table.columns[1].justify = "right"
    for state, words in _STATES.items():
        if number := figures.by_state.get(state, 0):
            table.add_row(words, str(number))
    for reason, number in sorted(figures.by_reason.items()):
        table.add_row(f"  of them: {reason.replace('_', ' ')}", str(number), style="dim")
    table.add_section()
    table.add_row("together", str(figures.crossings), style="bold")
    return table


def _groups(report: DayReport) -> Table:
    """Charges by vehicle group."""
    table = Table("vehicle group", "charged", "sum")
    for column in table.columns[1:]:
        column.justify = "right"
    for each in report.figures.by_group:
        table.add_row(str(each.vehicle_group), str(each.charged), dong_text(each.charged_dong))
    table.add_section()
    table.add_row(
        "together",
        str(report.figures.charged),
        dong_text(report.figures.charged_dong),
        style="bold",
    )
    return table


def _print_providers(console: Console, report: DayReport) -> None:
    """What the providers say, and where they differ."""
    for each in report.figures.by_provider:
        here = f"{each.charged} charges, {dong_text(each.charged_dong)}"
        if each.file_name is None or each.file_dong is None:
            console.print(f"Provider {each.provider}: {here}; no file yet")
            continue
        console.print(
            f"Provider {each.provider}: {here}; its file {escape(each.file_name)} has"
            f" {each.file_rows} debits, {dong_text(each.file_dong)}"
        )
    differences = report.differences
    if not differences:
        if any(each.file_name for each in report.figures.by_provider):
            console.print("[green]No differences[/]")
        return
    table = Table("difference", "crossing", "here", "provider", "line", title="Differences")
    for difference in differences[:DIFFERENCES_SHOWN]:
        table.add_row(*_difference_cells(difference))
    console.print(table)
    if len(differences) > DIFFERENCES_SHOWN:
        console.print(f"and {len(differences) - DIFFERENCES_SHOWN} more; the console shows them")


def _difference_cells(each: Difference) -> tuple[str, ...]:
    return (
        _KINDS[each.kind],
        str(each.crossing_id),
        "-" if each.our_amount_dong is None else dong_text(each.our_amount_dong),
        "-" if each.their_amount_dong is None else dong_text(each.their_amount_dong),
        "-" if each.provider_line is None else str(each.provider_line),
    )
