# SPDX-License-Identifier: AGPL-3.0-or-later
"""What ``make check`` runs: every rule that a tool can enforce, one line per rule.

All checks run even after one has failed, so that one run shows everything that is to be mended.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from rich.console import Console

from deploy.supply_chain import kept_problems, locks_digest

ROOT: Final = Path(__file__).resolve().parent.parent
TIMEOUT_S: Final = 900.0

ALLOWED_LICENCE: Final = re.compile(
    r"\b(?:Apache|BSD|MIT|ISC|PSF|Python Software Foundation|MPL|Mozilla|LGPL|AGPL|GPL-?v?3"
    r"|GNU Lesser|GNU General Public License v3|Unlicense|0BSD|zlib|CC0|HPND|BSL-1\.0|EPL|Eclipse"
    r"|Public Domain)\b",
    re.IGNORECASE,
)
"""Licences of which one must be stated; each may be combined with the AGPL."""

LICENCE_FIELDS: Final = ("license_expression", "license", "classifier")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One tool and how it is called from the project's root."""

    name: str
    arguments: tuple[str, ...]


def checks() -> tuple[Check, ...]:
    """Every check that is a command; the long ones begin first."""
    binaries = Path(sys.executable).parent
    migrations = sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("central/db/migrations/*.sql"))
    queries = sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("central/**/queries*.sql"))
    return (
        Check(name="mypy --strict", arguments=(str(binaries / "mypy"),)),
        Check(
            name="SQL style",
            arguments=(str(binaries / "sqlfluff"), "lint", "--disable-progress-bar", *queries),
        ),
        Check(name="templates", arguments=(str(binaries / "djlint"), "--lint", "--quiet", "api")),
        Check(name="import contracts", arguments=(str(binaries / "lint-imports"),)),
        Check(name="ruff format", arguments=(str(binaries / "ruff"), "format", "--check", ".")),
        Check(name="ruff", arguments=(str(binaries / "ruff"), "check", ".")),
        Check(name="migrations", arguments=(str(binaries / "squawk"), *migrations)),
    )


def run_checks(console: Console) -> int:
    """Run every check and say what each found.

    Returns:
        Exit code: 0 when all passed, 1 otherwise.
    """
    failed, listed = [], checks()
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as side_by_side:
        for check, (result, seconds) in zip(listed, side_by_side.map(_timed, listed), strict=True):
            passed = result.returncode == 0
            _say(console, check.name, passed=passed, seconds=seconds)
            if not passed:
                failed.append(check.name)
                console.print(result.stdout + result.stderr, markup=False, highlight=False)
    for name, problems in (
        ("licences of dependencies", list(licence_problems(metadata.distributions()))),
        ("lock files", list(lock_problems(ROOT))),
        ("vulnerabilities, as last asked", list(kept_problems(locks=locks_digest()))),
    ):
        _say(console, name, passed=not problems)
        for problem in problems:
            console.print(f"    {problem}", markup=False)
        if problems:
            failed.append(name)
    if failed:
        console.print(f"[red]check failed:[/] {', '.join(failed)}")
        return 1
    console.print("[green]all checks passed[/]")
    return 0


def licence_problems(packages: Iterable[metadata.Distribution]) -> Iterator[str]:
    """Packages whose licence is not known to go with the AGPL.

    Where the metadata state none, the title of the licence that the package carries counts.
    """
    for distribution in packages:
        about = distribution.metadata.json
        name = str(about["name"])
        text = " ".join(str(about.get(key, "")) for key in LICENCE_FIELDS).strip()
        text = text or " ".join(_carried_licences(distribution))
        if ALLOWED_LICENCE.search(text) is None:
            yield f"{name}: licence not recognised ({text or 'none stated'})"


def _carried_licences(distribution: metadata.Distribution) -> Iterator[str]:
    """Titles of the licence files beside a package's metadata."""
    for name in distribution.metadata.get_all("License-File") or ():
        text = distribution.read_text(f"licenses/{name}") or distribution.read_text(name) or ""
        yield next((line.strip() for line in text.splitlines() if line.strip()), "")


def lock_problems(root: Path) -> Iterator[str]:
    """Locks that name an address or lack a hash."""
    for lock in sorted(root.glob("requirements*.lock")):
        text = lock.read_text(encoding="utf-8")
        if "://" in text or "--index-url" in text or "--find-links" in text:
            yield f"{lock.name}: names an address"
        pinned = [line for line in text.splitlines() if "==" in line and not line.startswith("#")]
        if len(pinned) > text.count("--hash=sha256:"):
            yield f"{lock.name}: fewer hashes than packages"
    for lock in sorted(root.glob("api/**/package-lock.json")):
        if "node_modules" in lock.parts:
            continue
        packages = json.loads(lock.read_text(encoding="utf-8")).get("packages", {})
        if any("resolved" in package for package in packages.values()):
            yield f"{lock.relative_to(root)}: records download addresses"
        if any(path and "integrity" not in package for path, package in packages.items()):
            yield f"{lock.relative_to(root)}: a package without integrity hash"


def _timed(check: Check) -> tuple[subprocess.CompletedProcess[str], float]:
    """What a check said, and the seconds that it took."""
    started = time.monotonic()
    result = subprocess.run(
        check.arguments, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    return result, time.monotonic() - started


def _say(console: Console, name: str, *, passed: bool, seconds: float = 0.0) -> None:
    mark = "[green]ok[/]    " if passed else "[red]failed[/]"
    console.print(f"  {mark} {name} [dim]{seconds:.1f} s[/]")


if __name__ == "__main__":
    sys.exit(run_checks(Console()))
