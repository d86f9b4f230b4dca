# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the product is made of, and whether anything in it is known to be vulnerable.

``audit`` asks the registries' own services about the locked versions and keeps the answer beside
the digest of the locks. ``make check`` reads the kept answer and asks nobody, so that it works
without a network and always takes the same time. ``sbom`` writes CycloneDX documents that are the
same byte for byte as long as the locks are.
"""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from rich.console import Console

from deploy.local.clock import utc_now
from deploy.setup.node import CONSOLE_FOLDER, find_node
from deploy.setup.places import PROJECT_FOLDER, cache_folder

PYTHON_LOCK: Final = PROJECT_FOLDER / "requirements.lock"
NPM_LOCK: Final = CONSOLE_FOLDER / "package-lock.json"
OUTPUT_FOLDER: Final = PROJECT_FOLDER / "runs"
KEPT_FILE: Final = OUTPUT_FOLDER / "audit.json"
TIMEOUT_S: Final = 180.0
SHOWN_CHARACTERS: Final = 300
_VOLATILE: Final = ("serialNumber",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one registry said about one lock.

    Attributes:
        findings: One line per known vulnerability.
        problem: Why it could not be asked; ``None`` when it was.
    """

    name: str
    findings: tuple[str, ...] = ()
    problem: str | None = None


def audit(console: Console, *, now: datetime) -> int:
    """Ask, say and keep what is known; 1 only when something is known to be vulnerable."""
    answers = (_ask_python(), _ask_npm())
    for answer in answers:
        if answer.problem is not None:
            console.print(f"{answer.name}: could not ask: {answer.problem}", markup=False)
        elif not answer.findings:
            console.print(f"{answer.name}: nothing known", markup=False)
        for finding in answer.findings:
            console.print(f"{answer.name}: {finding}", markup=False)
    findings = [each for answer in answers for each in answer.findings]
    if all(answer.problem is None for answer in answers):
        OUTPUT_FOLDER.mkdir(exist_ok=True)
        kept = {
            "locks": locks_digest(),
            "asked_at": now.isoformat(timespec="seconds"),
            "findings": findings,
        }
        KEPT_FILE.write_text(json.dumps(kept, indent=1), encoding="utf-8")
    return 1 if findings else 0


def kept_problems(kept_file: Path = KEPT_FILE, *, locks: str) -> Iterator[str]:
    """Vulnerabilities of the last audit, if it was about these locks; asks nobody."""
    try:
        kept = json.loads(kept_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    if isinstance(kept, dict) and kept.get("locks") == locks:
        yield from (str(each) for each in kept.get("findings", []))


def locks_digest() -> str:
    """One digest of both locks."""
    digest = hashlib.sha256()
    for lock in (PYTHON_LOCK, NPM_LOCK):
        digest.update(hashlib.sha256(lock.read_bytes()).digest())
    return digest.hexdigest()


def sbom(console: Console) -> int:
    """Write one CycloneDX document per lock into ``runs``."""
    OUTPUT_FOLDER.mkdir(exist_ok=True)
    for name, command, folder in (
        ("python", _python_sbom_command(), PROJECT_FOLDER),
        ("console", _npm_command("sbom", "--sbom-format", "cyclonedx"), CONSOLE_FOLDER),
    ):
        result = _run(command, folder)
        if result is None or result.returncode != 0:
            console.print(f"{name}: no document: {_reason(result)}", markup=False)
            return 1
        target = OUTPUT_FOLDER / f"sbom-{name}.cdx.json"
        target.write_text(reproducible(result.stdout), encoding="utf-8")
        console.print(f"{name}: {target.name} in {target.parent.name}", markup=False)
    return 0


def reproducible(document: str) -> str:
    """A CycloneDX document without what differs from run to run: its number and its time."""
    content = json.loads(document)
    for name in _VOLATILE:
        content.pop(name, None)
    content.get("metadata", {}).pop("timestamp", None)
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _ask_python() -> Answer:
    program = Path(sys.executable).with_name("pip-audit")
    command = (
        *(str(program), "--requirement", str(PYTHON_LOCK), "--require-hashes", "--disable-pip"),
        *("--format", "json", "--progress-spinner", "off", "--timeout", "15"),
    )
    result = _run(command, PROJECT_FOLDER)
    found = _json_of(result)
    if found is None:
        return Answer(name="Python", problem=_reason(result))
    return Answer(name="Python", findings=tuple(_python_findings(found)))


def _ask_npm() -> Answer:
    result = _run(_npm_command("audit", "--json", "--omit", "dev"), CONSOLE_FOLDER)
    found = _json_of(result)
    if found is None or "error" in found or "vulnerabilities" not in found:
        return Answer(name="npm", problem=_reason(result))
    return Answer(name="npm", findings=tuple(_npm_findings(found)))


def _python_findings(found: Mapping[str, object]) -> Iterator[str]:
    for package in _mappings(found.get("dependencies")):
        for each in _mappings(package.get("vulns")):
            yield f"{package.get('name')} {package.get('version')}: {each.get('id')}"


def _npm_findings(found: Mapping[str, object]) -> Iterator[str]:
    vulnerable = found.get("vulnerabilities")
    if isinstance(vulnerable, dict):
        for name, each in sorted(vulnerable.items()):
            yield f"{name} {each.get('range')}: {each.get('severity')}"


def _mappings(value: object) -> Sequence[Mapping[str, object]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _python_sbom_command() -> tuple[str, ...]:
    program = Path(sys.executable).with_name("cyclonedx-py")
    return (
        *(str(program), "requirements", str(PYTHON_LOCK)),
        *("--pyproject", str(PROJECT_FOLDER / "pyproject.toml"), "--output-reproducible"),
    )


def _npm_command(*words: str) -> tuple[str, ...]:
    node = find_node(cache_folder())
    npm = ("npm",) if node is None else node.npm
    return (*npm, *words, "--package-lock-only")


def _run(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str] | None:
    """The finished command; ``None`` when it is not there or took too long."""
    try:
        return subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None


def _json_of(result: subprocess.CompletedProcess[str] | None) -> Mapping[str, object] | None:
    """What a command printed, if it is a JSON object; its exit code tells of findings, too."""
    if result is None:
        return None
    try:
        found = json.loads(result.stdout)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _reason(result: subprocess.CompletedProcess[str] | None) -> str:
    if result is None:
        return "the program is missing or took too long"
    lines = [line for line in (result.stderr or result.stdout).strip().splitlines() if line]
    return (lines[0] if lines else "it said nothing")[:SHOWN_CHARACTERS]


if __name__ == "__main__":
    if sys.argv[1] == "audit":
        sys.exit(audit(Console(), now=utc_now()))
    sys.exit(sbom(Console()))
