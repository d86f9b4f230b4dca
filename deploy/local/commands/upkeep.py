# SPDX-License-Identifier: AGPL-3.0-or-later
"""The commands that install, examine and test: ``luuthong setup | doctor | test``."""

import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from deploy.errors import ComponentMissingError, LocalStackError, SetupError
from deploy.local.clock import utc_now
from deploy.local.commands.skipped import skip_reasons
from deploy.local.provision import RUNTIME_PARTS, TEST_PARTS, Part, ensure_parts, renew_prefixes
from deploy.local.stack import LocalStack
from deploy.setup.chromium import CHROMIUM_SETTING, find_chromium
from deploy.setup.inventory import Finding, components, surroundings
from deploy.setup.node import ensure_playwright_node
from deploy.setup.places import PROJECT_FOLDER, cache_folder
from deploy.setup.progress import TerminalReporter

TEST_PROCESSES_MAX: Final = 4
"""Each process of the tests starts a database and a broker; more of them need more memory."""

NO_BYTECODE: Final = "PYTHONDONTWRITEBYTECODE"
"""Set on many build machines: each process then compiles every module of ours again."""

BY_FILE: Final = ("--dist", "loadfile", "--no-loadscope-reorder")
"""Files stay whole and in their order: tests/conftest.py lets the longest begin first."""


def setup(
    *,
    only: Annotated[
        list[Part] | None, typer.Option(help="Only this part; may be repeated.")
    ] = None,
    renew: Annotated[
        bool, typer.Option("--renew", help="Replace the private prefixes by today's packages.")
    ] = False,
) -> None:
    """Install what is missing; ends with one line per component."""
    console = Console()
    if renew:
        if LocalStack().is_running:
            raise LocalStackError(
                "the stack runs from what is to be replaced. First: luuthong down"
            )
        renew_prefixes(console)
    ensure_parts(tuple(only or RUNTIME_PARTS), console)
    show_findings(console, [found for found in components(now=utc_now()) if found.version])


def doctor() -> None:
    """Say what is missing or old, and the command that mends it; exit code 1 if any is needed."""
    console = Console()
    findings = [*components(now=utc_now()), *surroundings()]
    show_findings(console, findings)
    stack = LocalStack()
    console.print("The stack runs." if stack.is_running else "The stack is not running.")
    if any(found.problem and found.is_needed for found in findings):
        raise typer.Exit(1)


def run_tests(
    arguments: Annotated[
        list[str] | None, typer.Argument(help="Passed on to pytest, for example tests/unit.")
    ] = None,
) -> None:
    """Set up and run every test; ends with what was not run, and why."""
    console = Console()
    if importlib.util.find_spec("pytest") is None:
        raise ComponentMissingError("pytest", remedy="Run the tests with: ./luuthong test")
    ensure_parts(RUNTIME_PARTS, console)
    environment = {**keeping_bytecode(os.environ), **_browser_environment(console)}
    with tempfile.TemporaryDirectory(prefix="luuthong-report-") as folder:
        report = Path(folder) / "report.xml"
        command = (
            *(sys.executable, "-m", "pytest", f"--junitxml={report}"),
            *side_by_side(arguments or (), processors=os.cpu_count() or 1),
            *(arguments or ()),
        )
        result = subprocess.run(command, cwd=PROJECT_FOLDER, env=environment, check=False)
        _show_skipped(console, report)
    raise typer.Exit(result.returncode)


def side_by_side(arguments: Sequence[str], *, processors: int) -> Sequence[str]:
    """What makes pytest run several files at a time, each process with servers of its own.

    One more than processors: some tests wait for clips that play as in life. Nothing where there is
    one processor, or where the caller says how to share the work.
    """
    is_told = any(each.startswith(("-n", "--numprocesses")) for each in arguments)
    if is_told or processors == 1 or "--pdb" in arguments:
        return ()
    return ("-n", str(min(processors + 1, TEST_PROCESSES_MAX)), *BY_FILE)


def keeping_bytecode(environment: Mapping[str, str]) -> Mapping[str, str]:
    """The same surroundings, but modules are compiled once, whatever the machine says of that.

    The tests start some hundred processes of ours, and each would compile for seconds.
    """
    return {name: value for name, value in environment.items() if name != NO_BYTECODE}


def _browser_environment(console: Console) -> Mapping[str, str]:
    """Brings a browser and what drives it; says why where that cannot be."""
    try:
        ensure_parts(TEST_PARTS, console)
        with TerminalReporter(console) as reporter:
            driver = ensure_playwright_node(cache_folder(), reporter)
    except SetupError as error:
        console.print(f"[yellow]No browser tests:[/] {error}", soft_wrap=True)
        return {}
    browser = find_chromium()
    return driver if browser is None else {**driver, CHROMIUM_SETTING: str(browser.program)}


def show_findings(console: Console, findings: list[Finding]) -> None:
    """One line per component: name, version, where; or what is wrong and what mends it."""
    name_width = max(len(found.name) for found in findings)
    version_width = max(len(found.version) for found in findings)
    for found in findings:
        remedy = f" -> {found.remedy}" if found.remedy else ""
        console.print(
            f"{_mark(found)} {found.name:{name_width}}  {found.version:{version_width}} "
            f" {f'{found.problem}{remedy}' if found.problem else found.where}",
            highlight=False,
            soft_wrap=True,
        )


def _mark(found: Finding) -> str:
    if not found.problem:
        return "[green]ok  [/]"
    return "[red]miss[/]" if found.is_needed else "[yellow]note[/]"


def _show_skipped(console: Console, report: Path) -> None:
    reasons = skip_reasons(report)
    if not reasons:
        console.print("Every test was run." if report.exists() else "No test was run.")
        return
    console.print(f"Not run: {sum(reasons.values())} tests")
    for reason, count in sorted(reasons.items()):
        console.print(f"  {count} x {reason}", markup=False, soft_wrap=True)
