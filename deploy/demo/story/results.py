# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a step of the story came to, and how it is shown."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

GOOD: Final = "[green]as it must be[/]"
BAD: Final = "[red]NOT AS IT MUST BE[/]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One sentence about what happened, and whether it is what must happen."""

    text: str
    is_right: bool = True


@dataclass(slots=True, kw_only=True)
class StepResult:
    """What one step came to.

    Attributes:
        title: What the step is about.
        page: Address of the page that shows it; empty where a command does.
        findings: In the order in which they were made.
    """

    title: str
    page: str = ""
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_right(self) -> bool:
        """Whether everything is as it must be."""
        return bool(self.findings) and all(each.is_right for each in self.findings)

    def tell(self, text: str) -> None:
        """Note something that is shown and not judged."""
        self.findings.append(Finding(text=text))

    def check(self, is_right: bool, text: str, *, otherwise: str = "") -> bool:  # noqa: FBT001
        """Note something that must be so.

        Args:
            is_right: Whether it is.
            text: What is so.
            otherwise: What is shown instead when it is not; the same text when empty.
        """
        self.findings.append(
            Finding(text=text if is_right else otherwise or text, is_right=is_right)
        )
        return is_right


def show_step(console: Console, step: StepResult) -> None:
    """A step as it ends: title, what was found, the page."""
    console.print(f"\n[bold]{escape(step.title)}[/]", highlight=False)
    for each in step.findings:
        mark = "[green]·[/]" if each.is_right else "[red]✗[/]"
        console.print(f" {mark} {escape(each.text)}", highlight=False, soft_wrap=True)
    if step.page:
        console.print(f"   page: {step.page}", style="dim", highlight=False, soft_wrap=True)


def show_story(console: Console, steps: Sequence[StepResult], *, page_root: str) -> None:
    """All steps in a table, and one clear sentence."""
    table = Table(title="One truck's story", title_justify="left", header_style="bold")
    table.add_column("step")
    table.add_column("result", no_wrap=True)
    table.add_column(f"page at {page_root}", overflow="fold")
    for step in steps:
        page = step.page.removeprefix(page_root)
        table.add_row(escape(step.title), GOOD if step.is_right else BAD, page)
    console.print()
    console.print(table)
    wrong = sum(not step.is_right for step in steps)
    if wrong:
        console.print(f"[red]{wrong} of {len(steps)} steps are not as they must be.[/]")
    else:
        console.print(f"[green]All {len(steps)} steps of the story are as they must be.[/]")


def dong(amount: int) -> str:
    """An amount of money as it is written in Vietnam."""
    return f"{amount:,} đ".replace(",", ".")
