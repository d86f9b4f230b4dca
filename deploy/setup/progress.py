# SPDX-License-Identifier: AGPL-3.0-or-later
"""How long steps tell the person at the terminal where they are."""

from typing import Final, Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

_BAR_WIDTH: Final = 16


class Reporter(Protocol):
    """Receives where a long step is."""

    def update(self, what: str, *, fraction: float | None = None) -> None:
        """Say what is being done now.

        Args:
            what: The step, in plain words; a new text opens a new line.
            fraction: How much of the step is done, in [0, 1]; ``None`` where that is not known.
        """


class SilentReporter:
    """Says nothing; for tests and for callers without a terminal."""

    def update(self, what: str, *, fraction: float | None = None) -> None:
        """Ignore the news."""


class TerminalReporter:
    """Draws one bar per step, or prints one line per step where there is no terminal.

    A context manager, so that the terminal is always left tidy.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=_BAR_WIDTH),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._what = ""
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._finish_step()
        self._progress.stop()

    def update(self, what: str, *, fraction: float | None = None) -> None:
        """Move the bar of this step, or open a new one."""
        if what != self._what:
            self._finish_step()
            self._what = what
            if not self._console.is_terminal:
                self._console.print(what, highlight=False)
            self._task = self._progress.add_task(what, total=None if fraction is None else 1.0)
        if self._task is not None and fraction is not None:
            self._progress.update(self._task, total=1.0, completed=fraction)

    def _finish_step(self) -> None:
        if self._task is not None:
            self._progress.update(self._task, total=1.0, completed=1.0)
        self._task = None
