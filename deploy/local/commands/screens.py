# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the commands show on the terminal."""

from datetime import datetime, timedelta
from typing import Final

from rich.console import Console

from central.identity.types import NewPassword
from deploy.local.state import ServicePhase, StackPhase, StackState

_COLOURS: Final = {
    ServicePhase.RUNNING: "green",
    ServicePhase.STARTING: "yellow",
    ServicePhase.WAITING: "red",
    ServicePhase.STOPPED: "dim",
}


def show_status(console: Console, state: StackState, *, is_running: bool, now: datetime) -> None:
    """One line per process, and the address of the page."""
    if not is_running:
        console.print(_stopped_line(state), soft_wrap=True)
        return
    for service in state.services:
        colour = _COLOURS[service.phase]
        pid = "" if service.pid is None else str(service.pid)
        restarts = f"{service.restarts} restarts" if service.restarts else ""
        console.print(
            f"{service.name:<9} [{colour}]{service.phase:<18}[/] {pid:>8}"
            f"  {duration_text(now - service.since):<12} {restarts:<12} {service.where}",
            highlight=False,
            soft_wrap=True,
        )
    console.print(f"The stack is {state.phase}. Page: {state.page_url}", soft_wrap=True)


def show_ready(console: Console, state: StackState, administrator: NewPassword | None) -> None:
    """Where the page is, and how to enter it the first time."""
    console.print(f"[green]Ready.[/] Page: {state.page_url}", soft_wrap=True)
    if administrator is not None:
        console.print(
            f"First administrator: user [bold]{administrator.username}[/], password"
            f" [bold]{administrator.password}[/]\n"
            "The password is shown this once. A new one: luuthong admin reset-password",
            highlight=False,
            soft_wrap=True,
        )


def duration_text(duration: timedelta) -> str:
    """A duration with its two largest units, for example ``2 h 5 min``."""
    seconds = max(0, int(duration.total_seconds()))
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    units = ((days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s"))
    first = next((place for place, (count, _) in enumerate(units) if count), len(units) - 1)
    return " ".join(f"{count} {unit}" for count, unit in units[first : first + 2])


def _stopped_line(state: StackState) -> str:
    if state.phase is StackPhase.FAILED:
        return f"[red]The stack failed:[/] {state.message}"
    if state.phase is StackPhase.STOPPED:
        return "The stack is stopped. Start it with: luuthong up"
    return "The stack ended without being stopped (its data are safe). Start it: luuthong up"
