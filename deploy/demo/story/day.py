# SPDX-License-Identifier: AGPL-3.0-or-later
"""Closes the day with a provider's file that is wrong, and proves ledger and audit log."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from central.domain.local_time import local_date
from central.identity.types import User
from deploy.demo.story.files import PROVIDER, STATION
from deploy.demo.story.results import StepResult, dong
from deploy.demo.story.tolls import charges_of, write_provider_file
from deploy.errors import LocalStackError
from deploy.local.stack import LocalStack
from deploy.setup.places import HOME_SETTING

DAYS_PATH: Final = "/console/tolls/days"
COMMAND_LIMIT_S: Final = 120
LINES_MAX: Final = 60
COLUMNS: Final = "140"
"""Width of a command's tables: ids stand in them whole."""

_ESCAPES: Final = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a command printed."""

    code: int
    text: str

    @property
    def lines(self) -> Sequence[str]:
        """Its lines that hold anything."""
        return [line for line in self.text.splitlines() if line.strip()][:LINES_MAX]


def run_command(stack: LocalStack, *arguments: str) -> Said:
    """Run a command of ``luuthong`` on a stack as a person does.

    Raises:
        LocalStackError: It takes too long.
    """
    program = Path(sys.executable).with_name("luuthong")
    try:
        done = subprocess.run(
            [str(program), *arguments],
            check=False,
            capture_output=True,
            text=True,
            timeout=COMMAND_LIMIT_S,
            env={
                **os.environ,
                HOME_SETTING: str(stack.layout.home),
                "NO_COLOR": "1",
                "COLUMNS": COLUMNS,
            },
        )
    except subprocess.TimeoutExpired as error:
        raise LocalStackError(f"luuthong {' '.join(arguments)} takes too long") from error
    return Said(code=done.returncode, text=_ESCAPES.sub("", done.stdout + done.stderr))


def close_day(
    stack: LocalStack, folder: Path, *, crossed_at: datetime, forgotten: UUID, user: User
) -> StepResult:
    """Close a day that still runs, with a file that lacks one charge and has one too many.

    Args:
        stack: A running stack.
        folder: Where the provider's file is left.
        crossed_at: Aware time on the day in Vietnam that is closed.
        forgotten: The charged crossing that the provider's file lacks.
        user: Who may see tolls.
    """
    day = local_date(crossed_at)
    step = StepResult(
        title="7 · The day is closed and proven", page=stack.state.api_url + DAYS_PATH
    )
    charges = charges_of(stack.state.database_url, day=day, user=user)
    path = folder / f"{PROVIDER}-{day:%Y%m%d}.csv"
    extra = write_provider_file(path, charges, left_out=forgotten)
    closed = run_command(
        stack,
        *("toll", "close-day", STATION, day.isoformat(), "--so-far"),
        *("--provider-file", str(path), "--provider", PROVIDER),
    )
    total = sum(each.amount_dong or 0 for each in charges)
    step.check(
        closed.code == 0,
        f"toll close-day: {len(charges)} charges of {dong(total)} balance with the ledger",
        otherwise=f"toll close-day ended with code {closed.code}",
    )
    for line in closed.lines:
        step.tell(f"  {line}")
    step.check(str(forgotten) in closed.text, "found out: the charge that the provider lacks")
    step.check(str(extra) in closed.text, "found out: the debit of which only the provider knows")
    for name, command in (
        ("toll verify", ("toll", "verify")),
        ("audit verify", ("audit", "verify")),
    ):
        said = run_command(stack, *command)
        step.check(said.code == 0, f"{name}: holds", otherwise=f"{name}: code {said.code}")
        for line in said.lines:
            step.tell(f"  {line}")
    return step
