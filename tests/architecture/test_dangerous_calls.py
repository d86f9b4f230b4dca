# SPDX-License-Identifier: AGPL-3.0-or-later
"""Modules and calls that have no place in what answers requests, and habits of our scripts."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "api" / "console" / "src" / "js"
SERVED = ("api", "central")
STARTS_PROGRAMS = {"subprocess", "os.system", "os.popen", "pty", "multiprocessing"}
UNSAFE = {
    "pickle",
    "marshal",
    "shelve",
    "dill",
    "xml",
    "lxml",
    "telnetlib",
    "ftplib",
    "cryptography.hazmat.primitives.ciphers.modes",
    "cryptography.hazmat.decrepit",
    "Crypto",
}
# PKCS#1 v1.5 is weak padding for secrets; for signatures it is an approved one.
WEAK_CALLS = re.compile(
    r"\b(?:md5|sha1|DES|RC4|ARC4|MODE_ECB|random\.(?:random|choice))\("
    r"|(?:en|de)crypt\([^)]*PKCS1v15"
)


def test_no_request_starts_a_program() -> None:
    started = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in (ROOT / "api").rglob("*.py")
        for name in imported(path)
        if name in STARTS_PROGRAMS
    ]

    assert started == []


def test_no_weak_or_unsafe_module_is_imported() -> None:
    modules = list(served_modules())
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in modules
        for name in imported(path)
        if any(name == unsafe or name.startswith(f"{unsafe}.") for unsafe in UNSAFE)
    ]
    weak = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in modules
        for match in WEAK_CALLS.finditer(path.read_text("utf-8"))
    ]

    assert len(modules) > 100
    assert found == []
    assert weak == []


def test_scripts_compare_strictly() -> None:
    loose = [
        f"{path.name}:{number}"
        for path in scripts()
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if re.search(r"(?<![=!<>])[=!]=(?!=)", line)
    ]

    assert loose == []


def test_scripts_merge_no_objects_from_outside() -> None:
    merged = [
        f"{path.name}: {match[0]}"
        for path in scripts()
        for match in re.finditer(
            r"Object\.assign|__proto__|\.prototype\b|\beval\(|new Function|document\.write"
            r"|addEventListener\(\"message\"",
            path.read_text("utf-8"),
        )
    ]

    assert merged == []


def test_scripts_keep_nothing_but_choices() -> None:
    kept = {
        match[0]
        for path in scripts()
        for match in re.finditer(
            r"sessionStorage\b|indexedDB\b|caches\.\w+|document\.cookie"
            r"|localStorage\.setItem\([^)]*\)",
            path.read_text("utf-8"),
        )
    }

    assert all(re.fullmatch(r'localStorage\.setItem\([A-Z_]+, "1"\)', each) for each in kept), kept


def test_no_client_follows_redirects() -> None:
    following = [
        str(path.relative_to(ROOT))
        for package in ("api", "central", "edge")
        for path in (ROOT / package).rglob("*.py")
        if re.search(r"follow_redirects\s*=\s*True", path.read_text("utf-8"))
    ]

    assert following == []


def scripts() -> list[Path]:
    found = sorted(SCRIPTS.rglob("*.js"))
    assert found
    return found


def served_modules() -> Iterator[Path]:
    for package in SERVED:
        for path in (ROOT / package).rglob("*.py"):
            if "node_modules" not in path.parts:
                yield path


def imported(path: Path) -> Iterator[str]:
    """Names of what a module imports, with what it takes from each."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
