# SPDX-License-Identifier: AGPL-3.0-or-later
"""What commands show while they work: a bar on a terminal, plain lines anywhere."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

EXIT_INTERRUPTED: Final = 130


def progress_bar(console: Console, *, total: int) -> Progress:
    """A bar that is shown on a terminal only, and not for a single step."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal or total <= 1,
    )


def say(console: Console, text: str) -> None:
    """One line, whatever characters a file's name holds."""
    shown = "".join(character if character.isprintable() else "?" for character in text)
    console.print(shown, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def stop_on_signals() -> Iterator[Event]:
    """An event that SIGINT and SIGTERM set; a second signal ends the program at once."""
    stop = Event()
    old = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def note(_number: int, _frame: object) -> None:
        stop.set()
        for number, handler in old.items():
            signal.signal(number, handler)

    for number in old:
        signal.signal(number, note)
    try:
        yield stop
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
